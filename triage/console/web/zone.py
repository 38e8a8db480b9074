"""The reader's time zone: the one chosen and stored in a cookie, else the browser's, else that of the settings."""

import functools
from zoneinfo import available_timezones

from markupsafe import Markup
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from triage.console.web.templates import TEMPLATES
from triage.web.cookies import cookie_name, cookie_of, is_secure

CHOSEN, BROWSERS = "triage_time_zone", "triage_browser_zone"
_SCOPE = "triage.default_zone"
_NOT_PLACES = ("posix/", "right/", "SystemV/", "Etc/")


class DefaultZone:
    """ASGI middleware that stores the default time zone in the scope of each request, where `default_zone` reads it.

    It is for readers who have not chosen a time zone and whose browser has not reported one.
    """

    def __init__(self, app: ASGIApp, zone: str) -> None:
        self._app, self._zone = app, zone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_SCOPE] = self._zone
        await self._app(scope, receive, send)


@functools.cache
def known_zones() -> frozenset[str]:
    """Return the IANA names of all time zones."""
    return frozenset(available_timezones())


@functools.cache
def places() -> tuple[str, ...]:
    """Time zones to choose from: UTC, then names of places in alphabetical order."""
    return ("UTC", *sorted(name for name in known_zones() if "/" in name and not name.startswith(_NOT_PLACES)))


def zone_of(connection: HTTPConnection) -> str:
    """The name of the reader's time zone."""
    return chosen_zone(connection) or browsers_zone(connection) or default_zone(connection)


def chosen_zone(connection: HTTPConnection) -> str:
    """Return the time zone that the reader chose on the page `/time-zone`; empty without a choice."""
    return _known(cookie_of(connection, CHOSEN))


def browsers_zone(connection: HTTPConnection) -> str:
    """The browser's time zone, as stored in a cookie by `zone_script`; empty before that."""
    return _known(cookie_of(connection, BROWSERS))


def default_zone(connection: HTTPConnection) -> str:
    """The time zone for readers whose own is unknown: `alerting.time_zone`, or UTC without `DefaultZone`."""
    return str(connection.scope.get(_SCOPE, "UTC"))


def zone_script(connection: HTTPConnection, *, reload: bool = True) -> Markup:
    """Return a script that stores the browser's time zone in a cookie.

    It reloads the page if times were shown in another time zone, unless `reload` is False or the reader chose one.
    """
    return TEMPLATES.render(
        "web/zone.html",
        cookie=cookie_name(connection, BROWSERS),
        secure="; Secure" if is_secure(connection) else "",
        known=cookie_of(connection, BROWSERS),
        shown=zone_of(connection),
        reload=reload and not chosen_zone(connection),
    )


def _known(name: str) -> str:
    return name if name in known_zones() else ""
