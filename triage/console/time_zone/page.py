"""`/time-zone`: the page to choose the time zone. `/time-zone/choose?zone=Asia/Shanghai` stores the choice."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from triage.clock import Clock
from triage.console.web.layout import PageContext, plain_page
from triage.console.web.templates import render
from triage.console.web.zone import CHOSEN, browsers_zone, chosen_zone, default_zone, known_zones, places
from triage.translations import offset_name
from triage.web.cookies import delete_cookie, set_cookie
from triage.web.prefix import local_target, root_of

_YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class _Zone:
    name: str
    offset: str


def time_zone_routes(clock: Clock) -> APIRouter:
    """Build the routes of the page `/time-zone`, and of the link that stores the chosen time zone in a cookie.

    The link is a GET although it sets a cookie, because viewers, who are not allowed to POST, choose a time zone, too.
    """
    router = APIRouter()

    @router.get("/time-zone")
    async def page(request: Request, next: str = "") -> HTMLResponse:  # noqa: A002
        context = PageContext.of(request)
        now_ms = clock.now_ms()
        content = render(
            "time_zone/choices.html",
            context.translations,
            root=context.root,
            next=local_target(next),
            now=context.translations.moment(now_ms),
            chosen=chosen_zone(request),
            browsers=browsers_zone(request),
            default=default_zone(request),
            zones=[_Zone(name, offset_name(now_ms, ZoneInfo(name))) for name in places()],
        )
        return HTMLResponse(plain_page(context, "", context.translations("zone.title"), content))

    @router.get("/time-zone/choose")
    async def choose(request: Request, zone: str = "", next: str = "") -> Response:  # noqa: A002
        response = RedirectResponse(root_of(request) + local_target(next), status_code=303)
        if zone in known_zones():
            set_cookie(request, response, CHOSEN, zone, max_age_s=_YEAR_S, same_site="lax")
        elif not zone:
            delete_cookie(request, response, CHOSEN)
        return response

    return router
