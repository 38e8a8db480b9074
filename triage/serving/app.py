"""Builds the HTTP API as one ASGI application."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from triage import __version__
from triage.assist.cases.sender import ResolutionSender
from triage.clock import Clock, SystemClock
from triage.config import ApiSettings
from triage.errors import TriageError
from triage.metrics import Metrics
from triage.runtime.health import Health
from triage.runtime.rate_limiter import Rate, RateLimiter
from triage.serving.allowance import Allowance
from triage.serving.answer_routes import build_answer_routes
from triage.serving.answers import AnswerService
from triage.serving.auth import ApiAuthMiddleware
from triage.serving.conversation_routes import build_conversation_routes
from triage.serving.conversations import ConversationService
from triage.serving.guide_routes import Advise, build_guide_routes
from triage.serving.observation import RequestMetrics, RequestSpans
from triage.serving.openapi import describe
from triage.serving.problem import on_error, on_http, on_invalid, on_problem, on_unexpected
from triage.serving.resolution_routes import build_resolution_routes
from triage.serving.routes import build_routes
from triage.serving.service import Service
from triage.web.failures import UnexpectedErrors
from triage.web.headers import SecurityHeaders
from triage.web.health import WebHealth, health_routes
from triage.web.problem import Problem

_ABOUT = (
    "Enrich feedback as the workers do, put it into the topics, correct labels, answer questions. Send a token of "
    "`api.tokens` as `Authorization: Bearer`; viewers enrich and ask, operators may do all. Errors are "
    "`{error: {code, message}}`."
)
_HEADERS = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # The page of the API's documentation starts from an inline script.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
}


def build_app(
    service: Service,
    settings: ApiSettings,
    metrics: Metrics,
    health: Health,
    wall: Clock | None = None,
    conversations: ConversationService | None = None,
    answers: AnswerService | None = None,
    resolutions: ResolutionSender | None = None,
    guide: Advise | None = None,
) -> FastAPI:
    """Build the application: routes, probes and the documentation page, behind authentication and metrics.

    While it runs, it runs the micro-batcher of `service`. Routes whose part (`conversations`, `answers`, `resolutions`,
    `guide`) is None refuse requests. `wall` is the clock for limits and times, by default the system's.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        service.batcher.start()
        if conversations is not None:
            conversations.start()
        try:
            yield
        finally:
            if conversations is not None:
                await conversations.stop()
            await service.batcher.stop()

    clock = wall or SystemClock()
    limiter = RateLimiter(Rate(settings.records_per_minute, settings.records_per_minute / 60), clock)
    app = FastAPIOffline(redoc_url=None, title="triage", version=__version__, description=_ABOUT, lifespan=lifespan)
    allowance = Allowance(settings, limiter, metrics)
    app.include_router(build_routes(service, settings, allowance, metrics, clock, resolutions))
    app.include_router(build_answer_routes(answers, settings, allowance))
    app.include_router(build_guide_routes(guide, settings, allowance))
    app.include_router(build_resolution_routes(resolutions, settings, allowance, clock))
    if conversations is not None:
        app.state.conversations = conversations
        app.include_router(build_conversation_routes(conversations, settings, limiter, metrics))
    app.include_router(health_routes(metrics, WebHealth(lambda: None, health)), include_in_schema=False)
    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(TriageError, on_error)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    # The last one is the outermost.
    app.add_middleware(RequestSpans)
    app.add_middleware(ApiAuthMiddleware, settings=settings, monotonic=clock.monotonic)
    app.add_middleware(UnexpectedErrors, answer=on_unexpected)
    app.add_middleware(SecurityHeaders, headers=_HEADERS)
    app.add_middleware(RequestMetrics, metrics=metrics, monotonic=clock.monotonic)
    describe(app)
    return app
