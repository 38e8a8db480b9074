"""`/live`, `/ready` and `/metrics` of the console."""

from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from triage.errors import TriageError
from triage.metrics import Metrics


def health_routes(metrics: Metrics, ping: Callable[[], None]) -> APIRouter:
    """`ping` blocks and raises a TriageError while Elasticsearch does not answer."""
    router = APIRouter()

    @router.get("/live")
    async def live() -> JSONResponse:
        """The event loop moves."""
        return JSONResponse({"ok": True})

    @router.get("/ready")
    async def ready() -> JSONResponse:
        """There is data to show: Elasticsearch answers."""
        try:
            await run_in_threadpool(ping)
        except TriageError as error:
            return JSONResponse({"ok": False, "waiting_for": {"elasticsearch": str(error)}}, status_code=503)
        return JSONResponse({"ok": True, "waiting_for": {}})

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
