"""`/act/{token}`: the page that links in notifications open. It asks for confirmation; only its form's POST acts.

Link scanners, previews and prefetches send GET or HEAD, which change nothing. No script and no cookie is needed,
because mail programs and chats open links in their own browsers.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from cachetools import TTLCache
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from itsdangerous import BadData, URLSafeTimedSerializer
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from triage.alerting.alert_text import summary_of, title_of
from triage.alerting.app.actions import UsedLink
from triage.alerting.lifecycle.silences import format_matchers, parse_matchers
from triage.alerting.links import PATH, SILENCE_S, SNOOZE_S, Link, LinkSigner
from triage.clock import Clock, from_ms, to_ms, zone_named
from triage.config import AlertingSettings
from triage.console.alerts.fragments import wording_in
from triage.console.dependencies import Actions, UsedLinks
from triage.console.web.language import translations_of
from triage.console.web.templates import document
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.alert import Alert
from triage.translations import Translations
from triage.web.auth import is_known, user_of
from triage.web.body import read_form
from triage.web.identity import ANONYMOUS
from triage.web.origin import same_origin
from triage.web.prefix import root_of
from triage.web.problem import Problem

log = get_logger("triage.console")

_MAX_BYTES = 4_096
_CONFIRM_S = 1_800
_MAX_SPENT = 10_000
_SPENT_S = 600.0
# The parts of the page that it may lack.
_NOTHING: dict[str, object] = {
    "script": "",
    "title": "",
    "text": "",
    "done": False,
    "alert_title": "",
    "summary": "",
    "confirm": "",
    "button": "",
    "as_whom": "",
    "address": "",
}
_ROBOTS = {"x-robots-tag": "noindex, nofollow", "referrer-policy": "no-referrer"}


@dataclass(frozen=True)
class LinkServices:
    """Services of the page that an action link in a notification opens.

    `find(dedup_key)` returns a stored alert or None. `actions` sends the action, `used` knows the links that were used.
    `clock` is the configured clock, which dates alerts; `now_s` returns the real time, at which links expire.
    """

    find: Callable[[str], Alert | None]
    actions: Actions
    used: UsedLinks
    alerting: AlertingSettings
    clock: Clock
    now_s: Callable[[], float]


class _Refusal(Exception):  # noqa: N818 - describes the answer
    """Reason for a link to do nothing, as status and words of the page; `link` if its signature is valid."""

    def __init__(self, status: int, why: str, link: Link | None = None) -> None:
        super().__init__(why)
        self.status, self.why, self.link = status, why, link


def link_routes(services: LinkServices | None) -> APIRouter:
    """Build the routes of action links; without `services` or `alerting.link_keys`, they respond 404 and say why."""
    router = APIRouter()
    keys = services.alerting.link_key_list() if services else []
    page = None if services is None or not keys else _LinkPage(services, keys)

    @router.api_route(f"/{PATH}/{{token}}", methods=["GET", "HEAD"])
    async def ask(request: Request, token: str) -> HTMLResponse:
        """Show what the action link does, and a button that does it. Changes nothing."""
        if page is None:
            return _page(request, 404, text=translations_of(request)("link.off"))
        return await page.ask(request, token)

    @router.post(f"/{PATH}/{{token}}")
    async def act(request: Request, token: str) -> HTMLResponse:
        """Apply the action, if the form comes from the page; else 400, 403, 404, 409, 410 or 503 with the reason."""
        if page is None:
            return _page(request, 404, text=translations_of(request)("link.off"))
        return await page.act(request, token)

    return router


class _LinkPage:
    def __init__(self, services: LinkServices, keys: list[str]) -> None:
        self._services = services
        self._signer = LinkSigner(keys)
        self._confirmations = URLSafeTimedSerializer(
            list(reversed(keys)),
            "triage link confirmations",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
        # Links that this process has just used: reading them back from the topic takes a moment.
        self._spent: TTLCache[str, bool] = TTLCache(_MAX_SPENT, _SPENT_S)

    async def ask(self, request: Request, token: str) -> HTMLResponse:
        translations = translations_of(request)
        try:
            link, alert = await self._valid(token, translations)
            actor = self._actor(request, link, translations)
        except _Refusal as refusal:
            return self._refused(request, refusal)
        values = self._values(link, alert, translations)
        wording = wording_in(translations, self._services.alerting.places)
        return _page(
            request,
            200,
            title=translations(f"link.ask_{link.action}", **values),
            alert_title=title_of(alert, wording),
            summary=summary_of(alert, wording),
            confirm=self._confirmations.dumps(link.id),
            button=translations(f"link.do_{link.action}"),
            as_whom=translations("link.as", actor=actor),
            address=_address(request, link),
        )

    async def act(self, request: Request, token: str) -> HTMLResponse:
        translations = translations_of(request)
        try:
            link, alert = await self._valid(token, translations)
            actor = self._actor(request, link, translations)
            await self._require_confirmation(request, link, translations)
            # Nothing is awaited between the check and this: a double tap acts once.
            if link.id in self._spent:
                raise self._was_used(link, translations)
            self._spent[link.id] = True
            try:
                await run_in_threadpool(self._take, link, alert, actor)
            except TriageError as error:
                del self._spent[link.id]
                raise _Refusal(503, str(error), link) from error
        except _Refusal as refusal:
            return self._refused(request, refusal)
        log.info("alert_action", kind=link.action, dedup_key=link.dedup_key, by=actor, link=link.receiver)
        text = translations(f"link.deed_{link.action}", **self._values(link, alert, translations))
        done = translations("link.done_by", text=text)
        return _page(
            request, 200, title=translations("link.done"), text=done, done=True, address=_address(request, link)
        )

    async def _valid(self, token: str, translations: Translations) -> tuple[Link, Alert]:
        """The link of a token and its alert. Raises _Refusal for one that does nothing (any more)."""
        link = self._signer.read(token)
        if link is None:
            raise _Refusal(403, translations("link.forged"))
        if self._services.now_s() >= link.ends_s:
            until = translations.moment(link.ends_s * 1000)
            raise _Refusal(410, translations("link.expired", until=until), link)
        if not self._services.used.ready():
            raise _Refusal(503, translations("link.not_ready"), link)
        if link.id in self._spent or self._services.used.used(link.id) is not None:
            raise self._was_used(link, translations)
        try:
            alert = await run_in_threadpool(self._services.find, link.dedup_key)
        except TriageError as error:
            raise _Refusal(503, str(error), link) from error
        if alert is None:
            raise _Refusal(404, translations("link.gone"), link)
        # That it was right or false is often known only afterwards.
        if alert.status == "resolved" and link.action not in {"right", "false"}:
            raise _Refusal(410, translations("link.over"), link)
        return link, alert

    def _was_used(self, link: Link, translations: Translations) -> _Refusal:
        action = self._services.used.used(link.id)
        at_ms = action.at_ms if action else round(self._services.now_s() * 1000)
        by = action.actor if action else link.receiver
        return _Refusal(409, translations("link.used", by=by, when=translations.moment(at_ms)), link)

    def _actor(self, request: Request, link: Link, translations: Translations) -> str:
        """The user who is logged in, else the receiver that got the link. Raises _Refusal for a viewer."""
        user = user_of(request)
        if is_known(request) and user is not ANONYMOUS:
            if not user.may_act:
                raise _Refusal(403, translations("link.viewer", name=user.name), link)
            return f"{user.name} ({link.receiver})"
        if link.role != "operator":
            raise _Refusal(403, translations("link.login", receiver=link.receiver), link)
        return link.receiver

    async def _require_confirmation(self, request: Request, link: Link, translations: Translations) -> None:
        """Raises _Refusal unless the request is the form of the page of this link, open for half an hour at most."""
        sent_by = {"sec-fetch-site", "origin"} & set(request.headers.keys())
        if sent_by and not same_origin(request):
            raise _Refusal(403, translations("link.other_site"), link)
        try:
            form = await read_form(request, _MAX_BYTES)
            confirmed = self._confirmations.loads(form.get("confirm", [""])[0], max_age=_CONFIRM_S)
        except (Problem, BadData, ValueError):
            confirmed = None
        if confirmed != link.id:
            raise _Refusal(400, translations("link.page_expired"), link)

    def _take(self, link: Link, alert: Alert, actor: str) -> None:
        actions, used = self._services.actions, UsedLink(link.id, link.receiver)
        match link.action:
            case "acknowledge":
                actions.acknowledge(alert.dedup_key, actor, link=used)
            case "snooze":
                actions.snooze(alert.dedup_key, actor, SNOOZE_S, link=used)
            case "morning":
                until_s = (self._morning_ms() - self._services.clock.now_ms()) // 1000
                actions.snooze(alert.dedup_key, actor, until_s, link=used)
            case "silence":
                actions.silence(parse_matchers(_matchers(alert)), actor, SILENCE_S, link=used)
            case "right" | "false":
                actions.judge(alert.dedup_key, actor, link.action, link=used)

    def _morning_ms(self) -> int:
        """The next morning, at `alerting.morning_hour` in `alerting.time_zone`, as ms since the epoch."""
        alerting = self._services.alerting
        now = from_ms(self._services.clock.now_ms()).astimezone(zone_named(alerting.time_zone))
        morning = now.replace(hour=alerting.morning_hour, minute=0, second=0, microsecond=0)
        return to_ms(morning if morning > now else morning + timedelta(days=1))

    def _values(self, link: Link, alert: Alert, translations: Translations) -> dict[str, object]:
        """The values of the sentences about an action: until when it holds, and for which alerts."""
        now_ms = self._services.clock.now_ms()
        ends = {"morning": self._morning_ms(), "snooze": now_ms + SNOOZE_S * 1000, "silence": now_ms + SILENCE_S * 1000}
        until = translations.moment(ends.get(link.action, now_ms))
        return {"until": until, "matchers": format_matchers(parse_matchers(_matchers(alert)))}

    def _refused(self, request: Request, refusal: _Refusal) -> HTMLResponse:
        log.info("link_refused", status=refusal.status, dedup_key=refusal.link.dedup_key if refusal.link else None)
        address = _address(request, refusal.link) if refusal.link else ""
        return _page(request, refusal.status, text=refusal.why, address=address)


def link_html(translations: Translations, **values: object) -> Markup:
    """Render the page that an action link opens; `values` are for its template, parts without a value are left out."""
    return document("alerts/link.html", translations, **(_NOTHING | values))


def _matchers(alert: Alert) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(alert.dimensions.items())] or [f"rule={alert.rule}"]


def _address(request: Request, link: Link) -> str:
    return f"{root_of(request)}alerts/{quote(link.dedup_key, safe='')}"


def _page(request: Request, status: int, *, title: str = "", text: str = "", **values: object) -> HTMLResponse:
    translations = translations_of(request)
    title = title or translations("link.nothing_done")
    page = link_html(translations, title=title, text=text, **values)
    return HTMLResponse(page, status_code=status, headers=_ROBOTS)
