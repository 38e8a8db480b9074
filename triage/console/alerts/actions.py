"""Routes and forms for users' actions on an alert: plain HTML, accepted only from the console's own pages."""

import secrets
from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from itsdangerous import BadData
from markupsafe import Markup
from pydantic import SecretStr
from starlette.concurrency import run_in_threadpool

from triage.alerting.lifecycle.assessments import VERDICTS
from triage.alerting.lifecycle.silences import format_matchers, parse_matchers
from triage.console.dependencies import Actions
from triage.console.web.language import translations_of
from triage.console.web.sessions import serializer, signing_key
from triage.console.web.templates import render
from triage.errors import ConfigError, TriageError
from triage.logging import get_logger
from triage.schemas.alert import Alert
from triage.translations import Translations
from triage.web.auth import user_of
from triage.web.body import read_form
from triage.web.cookies import cookie_of
from triage.web.identity import ANONYMOUS, bearer_of
from triage.web.prefix import root_of
from triage.web.problem import Problem

log = get_logger("triage.console")

COOKIE = "triage_csrf"
_MAX_BYTES = 16_384
_MAX_CHARS = 200
_TIMES_S = (1800, 7200, 28_800, 86_400, 604_800)
_KINDS = ("acknowledge", "unacknowledge", "snooze", "silence", "assign", "comment", "resolve", "judge")
# Actions whose form asks for a name and a comment only.
_PLAIN = frozenset({"acknowledge", "unacknowledge", "resolve"})
_ON_ENDED = frozenset({"comment", "judge"})


class FormTokens:
    """Tokens against forged form posts (CSRF): a random cookie in the browser, and its signature in a form field.

    Pages of other sites can neither read the cookie nor compute the signature. `LoginMiddleware` has already checked
    that a request comes from the console's own pages.
    """

    def __init__(self, session_key: SecretStr | None = None) -> None:
        """Create the signer of tokens, with a random key if `session_key` is None.

        Consoles with the same `session_key` accept each other's forms.
        """
        self._serializer = serializer(signing_key(session_key), "triage alert forms")

    def cookie(self, request: Request) -> str:
        """Return the value of the visitor's CSRF cookie, or a new random one if the visitor has none."""
        return cookie_of(request, COOKIE) or secrets.token_urlsafe(24)

    def token(self, cookie: str) -> str:
        return str(self._serializer.dumps(cookie))

    def belongs(self, request: Request, token: str) -> bool:
        """True if `token` is the signature of the visitor's cookie, or if the request has a bearer token."""
        if bearer_of(request) is not None:
            return True  # no browser sends it by itself
        cookie = cookie_of(request, COOKIE)
        try:
            return bool(cookie) and bool(self._serializer.loads(token) == cookie)
        except BadData:
            return False


def action_routes(
    find: Callable[[str], Alert | None],
    actions: Actions,
    tokens: FormTokens,
    notice: Callable[[Request, str, str], str],
) -> APIRouter:
    """Build the routes that acknowledge, snooze, silence, assign, comment, resolve and assess alerts.

    `find(dedup_key)` returns the stored alert, or None. `notice(request, title, text)` returns the HTML page that
    reports an error.
    """
    router = APIRouter()

    @router.post("/alerts/{dedup_key}/{kind}")
    async def act(request: Request, dedup_key: str, kind: str) -> Response:
        """Apply the action and redirect (303) to the alert's page; 400, 403, 404 or 503 with the reason on an error."""
        translations = translations_of(request)
        not_done = translations("action.not_done")
        if kind not in _KINDS:
            return HTMLResponse(notice(request, translations("action.unknown"), kind), status_code=404)
        form = await _form(request)
        if not tokens.belongs(request, form.get("token", [""])[0]):
            refused = translations("action.refused", why=translations("action.expired"))
            return HTMLResponse(notice(request, not_done, refused), status_code=403)
        try:
            alert = await run_in_threadpool(find, dedup_key)
            if alert is None or (alert.status == "resolved" and kind not in _ON_ENDED):
                return HTMLResponse(notice(request, not_done, translations("action.over")), status_code=404)
            await run_in_threadpool(_take_action, actions, kind, dedup_key, request, form)
        except ConfigError as error:
            return HTMLResponse(notice(request, not_done, "; ".join(error.problems)), status_code=400)
        except TriageError as error:
            return HTMLResponse(notice(request, not_done, str(error)), status_code=503)
        return RedirectResponse(f"{root_of(request)}{_address(dedup_key)}?done={kind}", status_code=303)

    return router


def action_forms(
    alert: Alert, token: str, user: str | None, done: str | None, translations: Translations, root: str = "../"
) -> Markup:
    """Render the action buttons of an alert, each with a form to confirm it; once ended, only comment and assessment.

    `token` is the form's CSRF token, `user` the name of the logged-in user (None: the form asks for a name), `done` the
    action that was just taken, or None, `root` the relative URL of the console's start page.
    """
    return render(
        "alerts/actions.html",
        translations,
        alert=alert,
        address=root + _address(alert.dedup_key),
        token=token,
        logged_in=user is not None,
        done=done if done in _KINDS else None,
        times_s=_TIMES_S,
        verdicts=[each for each in VERDICTS if each != "withdrawn" or alert.assessment is not None],
        matched=[*(f"{name}={value}" for name, value in sorted(alert.dimensions.items())), f"rule={alert.rule}"],
    )


def _address(dedup_key: str) -> str:
    """The address of an alert's page, relative to the console's start page."""
    return f"alerts/{quote(dedup_key, safe='')}"


def name_of(request: Request) -> str | None:
    """Return the name of the logged-in user; None if no login is configured."""
    user = user_of(request)
    return None if user is ANONYMOUS else user.name


async def _form(request: Request) -> dict[str, list[str]]:
    try:
        return await read_form(request, _MAX_BYTES)
    except Problem:
        return {}  # no form of the console's own pages: its token is missing


def _take_action(actions: Actions, kind: str, dedup_key: str, request: Request, form: dict[str, list[str]]) -> None:
    actor = name_of(request) or form.get("by", [""])[0].strip()[:_MAX_CHARS]
    comment = form.get("comment", [""])[0].strip()[:_MAX_CHARS]
    if not actor:
        raise ConfigError(translations_of(request)("action.no_name"))
    if kind in _PLAIN:
        getattr(actions, kind)(dedup_key, actor, comment)
    else:
        comment = _take_with_choices(actions, kind, dedup_key, request, form, actor, comment)
    log.info("alert_action", kind=kind, dedup_key=dedup_key, by=actor, comment=comment)


def _take_with_choices(
    actions: Actions,
    kind: str,
    dedup_key: str,
    request: Request,
    form: dict[str, list[str]],
    actor: str,
    comment: str,
) -> str:
    """Take an action whose form has further fields. Returns what to log. Raises ConfigError for a missing one."""
    match kind:
        case "snooze":
            actions.snooze(dedup_key, actor, _seconds(form, request), comment)
        case "silence":
            matchers = parse_matchers(form.get("match", []))
            actions.silence(matchers, actor, _seconds(form, request), comment)
            comment = format_matchers(matchers)
        case "assign":
            comment = form.get("to", [""])[0].strip()[:_MAX_CHARS]
            actions.assign(dedup_key, actor, comment)
        case "comment":
            if not comment:
                raise ConfigError(translations_of(request)("action.no_comment"))
            actions.comment(dedup_key, actor, comment)
        case "judge":
            verdict = next((each for each in VERDICTS if form.get("verdict") == [each]), None)
            if verdict is None:
                raise ConfigError(translations_of(request)("action.no_verdict"))
            actions.judge(dedup_key, actor, verdict, comment)
    return comment


def _seconds(form: dict[str, list[str]], request: Request) -> int:
    """The chosen duration. Raises ConfigError without one."""
    chosen = form.get("for_s", [""])[0]
    seconds = next((each for each in _TIMES_S if str(each) == chosen), None)
    if seconds is None:
        raise ConfigError(translations_of(request)("action.no_time"))
    return seconds
