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
    """`ping` blocks and raises a DependencyError while something that is needed does not answer.

    With a `health` /live tells whether its loop and work move, not only the event loop, and /ready what it says.
    """
    router = APIRouter()

    @router.get("/live")
    async def live() -> JSONResponse:
        """The event loop moves."""
        if health is None:
            return JSONResponse({"ok": True})
        good, details = health.live()
        return JSONResponse({"ok": good, **details}, 200 if good else 503)

    @router.get("/ready")
    async def ready() -> JSONResponse:
        """What is needed answers."""
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
