"""The console as one ASGI application: page, health and metrics behind security headers."""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from nicegui import ui

from triage.console.alert_page import alert_routes
from triage.console.headers import SecurityHeaders
from triage.console.health import health_routes
from triage.console.page import page_for
from triage.console.refresh import SharedSnapshot
from triage.metrics import Metrics
from triage.schemas.alert import Alert

_FAVICON = Path(__file__).with_name("favicon.svg")


def build_service(metrics: Metrics, ping: Callable[[], None], find_alert: Callable[[str], Alert | None]) -> FastAPI:
    """Health, metrics and the pages of single alerts, without the main page."""
    app = FastAPI(title="triage console", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health_routes(metrics, ping))
    app.include_router(alert_routes(find_alert))
    app.add_middleware(SecurityHeaders)
    return app


def build_app(
    shared: SharedSnapshot, metrics: Metrics, ping: Callable[[], None], find_alert: Callable[[str], Alert | None]
) -> FastAPI:
    """The whole console. NiceGUI keeps one page per process: call it once."""
    app = build_service(metrics, ping, find_alert)
    ui.run_with(
        app,
        root=page_for(shared),
        title="triage",
        favicon=_FAVICON,
        dark=None,
        tailwind=False,
        reconnect_timeout=10,
        show_welcome_message=False,
    )
    return app
