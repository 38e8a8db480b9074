"""`/live`, `/ready` and `/metrics` of a web process."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from triage.errors import DependencyError
from triage.metrics import Metrics
from triage.runtime.health import Health


def health_routes(metrics: Metrics, ping: Callable[[], None], health: Health | None = None) -> APIRouter:
    """`ping` blocks, and raises a DependencyError while a dependency does not answer.

    With a `health`, /live also requires that the process's own loop and work progress, and /ready adds its details.
    """
    router = APIRouter()

    @router.get("/live")
    async def live() -> JSONResponse:
        """200 while the event loop runs, and the work of `health` progresses; else 503."""
        if health is None:
            return JSONResponse({"ok": True})
        good, details = health.live()
        return JSONResponse({"ok": good, **details}, 200 if good else 503)

    @router.get("/ready")
    async def ready() -> JSONResponse:
        """200 while the dependencies answer; else 503."""
        _, about = health.ready() if health else (True, {})
        try:
            await run_in_threadpool(ping)
        except DependencyError as error:
            return JSONResponse({**about, "ok": False, "waiting_for": {error.dependency: str(error)}}, status_code=503)
        return JSONResponse({"waiting_for": {}, **about, "ok": True})

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
