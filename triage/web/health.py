"""The probes `/live`, `/ready` and `/metrics` of a web process."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.concurrency import run_in_threadpool

from triage.errors import DependencyError
from triage.metrics import Metrics
from triage.runtime.health import Health
from triage.web.auth import is_known


class WebHealth:
    """The state that the probes of a web process report.

    `live` returns (True if the process's own work progresses, details), `ready` (True if its dependencies answer,
    details). `ping` raises DependencyError if a dependency does not answer. The details of `ready` name hosts and
    versions; without `detailed` they name only the dependency that does not answer.
    """

    def __init__(self, ping: Callable[[], None], health: Health | None = None) -> None:
        """Create the state; `ping` asks the dependencies, and raises a DependencyError while one does not answer."""
        self._ping = ping
        self._health = health

    def live(self) -> tuple[bool, dict[str, Any]]:
        return self._health.live() if self._health else (True, {})

    def ready(self, *, detailed: bool = False) -> tuple[bool, dict[str, Any]]:
        """Call `ping`, which may block; returns True if the dependencies answer, and details.

        `waiting_for` in the details has a reason by dependency. With `detailed` they also have the fields of
        `Health.ready`.
        """
        _, about = self._health.ready() if self._health else (True, {})
        waiting: dict[str, str] = {}
        try:
            self._ping()
        except DependencyError as error:
            waiting = {error.dependency: str(error) if detailed else "unavailable"}
        return not waiting, {**(about if detailed else {}), "waiting_for": waiting}

    def standing_still(self) -> tuple[str, float]:
        return self._health.standing_still() if self._health else ("", 0.0)


def health_routes(metrics: Metrics, health: WebHealth) -> APIRouter:
    """Build `/live`, `/ready` and `/metrics` for the port that also serves pages; only logged-in users get details."""
    router = APIRouter()
    checks: dict[bool, asyncio.Future[tuple[bool, dict[str, Any]]]] = {}

    @router.get("/live")
    async def live() -> JSONResponse:
        """Respond with 200 while the event loop runs and the process's own work progresses; else 503."""
        return _answer(*health.live())

    @router.get("/ready")
    async def ready(request: Request) -> JSONResponse:
        """Respond with 200 if the process's dependencies answer; else 503."""
        detailed = is_known(request)
        check = checks.get(detailed)
        # Simultaneous probes share one check: anybody may send them, and threads are few.
        if check is None or check.done():
            check = checks[detailed] = asyncio.ensure_future(run_in_threadpool(health.ready, detailed=detailed))
        return _answer(*await asyncio.shield(check))

    @router.get("/metrics")
    async def exposition() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def _answer(good: bool, details: dict[str, Any]) -> JSONResponse:
    return JSONResponse({"ok": good, **details}, 200 if good else 503)
