"""The console as one ASGI application: pages, health and metrics behind login and security headers."""

import time
from collections.abc import Callable, Iterable

from fastapi import FastAPI
from nicegui import app as pages_app
from nicegui import ui

from triage.alerting.links import PATH
from triage.clock import Clock, SystemClock
from triage.config import AlertingSettings, ConsoleSettings
from triage.console.alerts.detail_page import Surroundings, alert_routes
from triage.console.alerts.links_page import LinkServices, link_routes
from triage.console.alerts.list_page import alerts_page
from triage.console.conversations.page import conversations_page
from triage.console.dependencies import Actions, Dependencies, UsedLinks
from triage.console.explore.export import export_routes
from triage.console.explore.page import RESPONSE_S, explore_page
from triage.console.fleet.page import fleet_page
from triage.console.guide.page import guide_routes
from triage.console.guide.reading import GuideDesk
from triage.console.knowledge.page import knowledge_page
from triage.console.market.page import market_routes
from triage.console.market.reading import MarketReader
from triage.console.now.page import now_page
from triage.console.record.page import record_page
from triage.console.review.page import review_page
from triage.console.rules.page import ReadRules, rule_routes
from triage.console.time_zone.page import time_zone_routes
from triage.console.web.error_pages import add_error_pages, failed_page
from triage.console.web.headers import HEADERS
from triage.console.web.language import language_routes
from triage.console.web.login import LoginMiddleware
from triage.console.web.sockets import EngineFrames, guard_sockets
from triage.console.web.templates import FAVICON
from triage.console.web.zone import DefaultZone
from triage.elastic.search import past_alerts
from triage.errors import ConfigError
from triage.metrics import Metrics
from triage.schemas.alert import Alert
from triage.web.failures import UnexpectedErrors
from triage.web.headers import SecurityHeaders
from triage.web.health import WebHealth, health_routes


def build_service(
    metrics: Metrics,
    health: WebHealth,
    find_alert: Callable[[str], Alert | None],
    actions: Actions | None = None,
    settings: ConsoleSettings | None = None,
    alerting: AlertingSettings | None = None,
    clock: Clock | None = None,
    rules: ReadRules | None = None,
    used_links: UsedLinks | None = None,
    now_s: Callable[[], float] = time.time,
    surroundings: Surroundings | None = None,
) -> FastAPI:
    """Build the part of the console that needs no scripts: health, metrics and the alerts' own pages, behind the login.

    `find_alert(dedup_key)` returns a stored alert or None. Without `actions` alerts can only be viewed, and without
    `used_links` links in notifications do nothing. `rules` reads the reports on alert rules; without it they have no
    pages. Without settings the defaults apply.
    """
    settings, alerting = settings or ConsoleSettings(), alerting or AlertingSettings()
    app = FastAPI(title="triage console", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(health_routes(metrics, health))
    app.include_router(language_routes())
    app.include_router(time_zone_routes(clock or SystemClock()))
    app.include_router(alert_routes(find_alert, actions, alerting, settings.session_key, surroundings))
    if rules is not None:
        app.include_router(rule_routes(rules))
    links = None
    if actions is not None and used_links is not None:
        links = LinkServices(find_alert, actions, used_links, alerting, clock or SystemClock(), now_s)
    app.include_router(link_routes(links))
    app.add_middleware(EngineFrames)
    app.add_middleware(LoginMiddleware, settings=settings, monotonic=time.monotonic)
    app.add_middleware(DefaultZone, zone=alerting.time_zone)
    app.add_middleware(UnexpectedErrors, answer=failed_page)
    app.add_middleware(SecurityHeaders, headers=HEADERS)
    return app


def build_app(dependencies: Dependencies, health: WebHealth, find_alert: Callable[[str], Alert | None]) -> FastAPI:
    """Build the complete console. Call it once per process, because NiceGUI keeps one set of pages per process.

    `health` answers the probes, `find_alert(dedup_key)` returns a stored alert or None. Raises ConfigError for a path
    prefix that is also the path of a page.
    """
    settings = dependencies.settings
    app = build_service(
        dependencies.metrics,
        health,
        find_alert,
        dependencies.actions,
        settings.console,
        settings.alerting,
        dependencies.clock,
        dependencies.rules,
        dependencies.used_links,
        surroundings=Surroundings(
            lambda alert: past_alerts(dependencies.client, settings.elasticsearch, alert),
            dependencies.silences,
            dependencies.clock.now_ms,
        ),
    )
    app.include_router(export_routes(dependencies))
    market = MarketReader(settings, dependencies.client, dependencies.clock)
    app.include_router(market_routes(market.read, market.topics, settings.alerting.dimensions))
    app.include_router(guide_routes(GuideDesk(settings, dependencies.client, dependencies.clock).advise))
    pages = {
        "/": now_page(dependencies.now, dependencies.movers, dependencies.fleet, dependencies.silences),
        "/explore": explore_page(dependencies),
        "/records/{record_id}": record_page(dependencies),
        "/alerts": alerts_page(dependencies),
        "/review": review_page(dependencies),
        "/conversations": conversations_page(dependencies),
        "/knowledge": knowledge_page(dependencies),
        "/fleet": fleet_page(dependencies),
    }
    others = ("/rules", "/market", "/guide", "/login", "/logout", "/language", "/time-zone", f"/{PATH}")
    check_prefix(settings.console.path_prefix, (*pages, *others))
    for path, builder in pages.items():
        ui.page(path, response_timeout=RESPONSE_S)(builder)
    add_error_pages(pages_app)
    ui.run_with(
        app,
        title="triage",
        favicon=FAVICON,
        dark=None,
        tailwind=False,
        reconnect_timeout=10,
        show_welcome_message=False,
    )
    guard_sockets()
    return app


def check_prefix(prefix: str, paths: Iterable[str]) -> None:
    """Raise ConfigError for a path prefix whose first part is also that of a page in `paths`.

    With the prefix `/alerts`, a request for `/alerts/x` would be ambiguous: from a proxy that removes the prefix it
    means the page `/alerts/x`, from one that keeps it the page `/x`.
    """
    first = prefix.removeprefix("/").partition("/")[0]
    if first and first in {path.split("/")[1] for path in paths}:
        raise ConfigError(
            f"console.path_prefix: /{first} is a page of the console; take another name", where="settings"
        )
