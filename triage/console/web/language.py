"""The visitor's language: the one chosen by a link and stored in a cookie, else that of the browser."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.requests import HTTPConnection

from triage.console.web.zone import zone_of
from triage.translations import LANGUAGES, Translations, translations_for
from triage.web.cookies import cookie_of, set_cookie
from triage.web.prefix import local_target, root_of

COOKIE = "triage_language"
_DEFAULT = "en"
_MAX_ACCEPTED = 20
_YEAR_S = 365 * 86_400


def translations_of(connection: HTTPConnection) -> Translations:
    """Translations for a visitor, with times in the visitor's time zone.

    The language is the chosen one, else that of `Accept-Language`, else English.
    """
    chosen = cookie_of(connection, COOKIE)
    if chosen not in LANGUAGES:
        chosen = _accepted(connection.headers.get("accept-language", ""))
    return translations_for(chosen, zone_of(connection))


def language_routes() -> APIRouter:
    """Build the route that stores the reader's language and redirects back: `/language/zh?next=explore`."""
    router = APIRouter()

    @router.get("/language/{code}")
    async def choose(request: Request, code: str, next: str = "") -> Response:  # noqa: A002
        response = RedirectResponse(root_of(request) + local_target(next), status_code=303)
        if code in LANGUAGES:
            set_cookie(request, response, COOKIE, code, max_age_s=_YEAR_S, same_site="lax")
        return response

    return router


def _accepted(header: str) -> str:
    """The language of an `Accept-Language` header with the highest quality that has a catalogue, else the default."""
    accepted: list[tuple[float, str]] = []
    for part in header.split(",")[:_MAX_ACCEPTED]:
        language, _, quality = part.strip().partition(";q=")
        try:
            accepted.append((-float(quality or 1), language.split("-")[0].lower()))
        except ValueError:
            continue
    by_quality = sorted(accepted, key=lambda each: each[0])
    return next((language for _, language in by_quality if language in LANGUAGES), _DEFAULT)
