"""The API as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from triage import __version__
from triage.clock import Clock, SystemClock
from triage.config import ApiSettings
from triage.errors import TriageError
from triage.metrics import Metrics
from triage.runtime.health import Health
from triage.serving.auth import AuthMiddleware
from triage.serving.openapi import describe
from triage.serving.problem import Problem, on_error, on_problem
from triage.serving.rate_limiter import RateLimiter
from triage.serving.routes import build_routes
from triage.serving.service import Service
from triage.web.health import health_routes

_ABOUT = (
    "Enrich feedback as the workers do, put it into the topics, correct labels. Send a token of `api.tokens` as "
    "`Authorization: Bearer`; viewers enrich, operators may do all. Errors are `{error: {code, message}}`."
)


def build_app(
    service: Service, settings: ApiSettings, metrics: Metrics, health: Health, wall: Clock | None = None
) -> FastAPI:
    """Routes, probes and the documentation page, behind the door. Its lifespan runs the micro-batches."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        service.batcher.start()
        try:
            yield
        finally:
            await service.batcher.stop()

    clock = wall or SystemClock()
    app = FastAPIOffline(redoc_url=None, title="triage", version=__version__, description=_ABOUT, lifespan=lifespan)
    app.include_router(build_routes(service, settings, RateLimiter(settings.records_per_minute, clock), metrics))
    app.include_router(health_routes(metrics, lambda: None, health), include_in_schema=False)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(TriageError, on_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_middleware(AuthMiddleware, settings=settings, metrics=metrics, monotonic=clock.monotonic)
    describe(app)
    return app


async def _on_http(request: Request, error: Exception) -> Response:
    """No such path, or no such method on it."""
    del request
    assert isinstance(error, HTTPException)
    code = {404: "no_such_path", 405: "no_such_method"}.get(error.status_code, "refused")
    return Problem(error.status_code, code, str(error.detail)).response()
