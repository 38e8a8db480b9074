"""*Alerts*: the page with a timeline, the list of alerts, and the active silences."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from fastapi import Request
from markupsafe import Markup
from nicegui import ui

from triage.alerting.alert_text import title_of
from triage.clock import parse_rfc3339
from triage.console.alerts.fragments import alert_cards, rules_link, silence_html, wording_in
from triage.console.dependencies import Dependencies
from triage.console.web.charts import FONT, STATIC, TOOLTIP, Options, timed
from triage.console.web.elements import Html, chart, opens_alert, section, text, update_chart
from triage.console.web.fragments import banner, incomplete
from triage.console.web.highlighting import cut
from triage.console.web.layout import PageContext, choices, page_layout
from triage.elastic.completeness import noting
from triage.elastic.search import open_alerts, recent_alerts
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.action import Silence
from triage.schemas.alert import Alert
from triage.translations import Translations

log = get_logger("triage.console")

_REFRESH_S = 4.0
_MAX_ALERTS = 50
_MAX_ROWS = 24
_ROW_PX = 26
_NAME_CHARS = 44
_WITHOUT_NUMBER = "(name) => name.slice(0, name.lastIndexOf('#'))"


def alerts_page(dependencies: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, status: str = "") -> None:
        chosen = status if status in {"firing", "resolved"} else ""
        with page_layout(request, "alerts") as context:
            view = _View(dependencies, context, chosen)
        await view.refresh()
        ui.timer(_REFRESH_S, view.refresh)

    return page


def read_alerts(dependencies: Dependencies) -> list[Alert]:
    """Read the firing alerts, then the latest ones of any status, without duplicates.

    Blocks; raises a TriageError if the search fails.
    """
    client, settings = dependencies.client, dependencies.settings.elasticsearch
    alerts = [*open_alerts(client, settings, _MAX_ALERTS), *recent_alerts(client, settings, _MAX_ALERTS)]
    return list({alert.dedup_key: alert for alert in alerts}.values())


class _View:
    """The elements of one open *Alerts* page that are updated while it is open."""

    def __init__(self, dependencies: Dependencies, page: PageContext, status: str) -> None:
        translations = self._translations = page.translations
        self._dependencies, self._page, self._status = dependencies, page, status
        self._banner = Html().classes("whole").props('aria-live="assertive"')
        with section("timeline", translations("alerts.timeline"), "whole"):
            self._chart = chart("chart", timeline([], 0, translations))
            opens_alert(self._chart)
        with section("list", translations("nav.alerts"), "wide"):
            Html(_choices(page, status))
            Html(rules_link(page.root, translations))
            self._list = Html().props('aria-live="polite"')
        with section("silences", translations("alerts.silences"), "narrow follows"):
            self._silences = ui.element("div")
        self._listed_silences: list[Silence] | None = None

    async def refresh(self) -> None:
        translations, now_ms = self._translations, self._dependencies.clock.now_ms()
        with noting() as gaps:
            try:
                alerts = await asyncio.to_thread(read_alerts, self._dependencies)
            except TriageError as error:
                self._banner.show(banner(str(error), translations, known=True))
                return
        self._banner.show(incomplete(gaps, translations))
        listed = [alert for alert in alerts if self._status in {"", alert.status}]
        silences = self._dependencies.silences()
        self._list.show(alert_cards(listed, now_ms, translations, silences))
        self._chart.visible = bool(listed)
        self._chart.style(f"height: {min(len(listed), _MAX_ROWS) * _ROW_PX + 44}px")
        options = timeline(listed[:_MAX_ROWS], now_ms, translations)
        update_chart(self._chart, options, timeline_description(listed, translations))
        self._show_silences([silence for silence in silences if silence.until_ms > now_ms])

    def _show_silences(self, silences: list[Silence]) -> None:
        if silences == self._listed_silences:
            return
        self._listed_silences = silences
        translations = self._translations
        self._silences.clear()
        with self._silences:
            if not silences:
                text(translations("alerts.no_silences")).classes("caption below")
            for silence in silences:
                Html(silence_html(silence, translations))
                if self._page.user.may_act and self._dependencies.actions is not None:
                    ui.button(
                        translations("alerts.end_silence"), on_click=lambda silence=silence: self._end(silence)
                    ).props("flat dense no-caps")

    async def _end(self, silence: Silence) -> None:
        assert self._dependencies.actions is not None
        try:
            await asyncio.to_thread(self._dependencies.actions.expire, silence, self._page.user.name)
        except TriageError as error:
            failed = self._translations("correct.failed", why=str(error))
            ui.notify(failed, type="negative", close_button=True)
            return
        log.info("silence_ended", silence=silence.id, by=self._page.user.name)
        ui.notify(self._translations("alerts.silence_ended"), type="positive")


def timeline(alerts: Sequence[Alert], now_ms: int, translations: Translations) -> Options:
    """Return ECharts options: one bar per alert from its start to its end or `now_ms`, the newest at the top."""
    wording = wording_in(translations)
    names = [_name(wording.subject(alert.dimensions), number) for number, alert in enumerate(alerts)]
    bars: list[Options] = []
    for name, alert in zip(names, alerts, strict=True):
        start = parse_rfc3339(alert.started_at)
        end = parse_rfc3339(alert.ended_at) if alert.ended_at else max(now_ms, start)
        colour = "var(--critical)" if alert.status == "firing" else "var(--neutral)"
        lasted = translations.duration(end - start)
        bars.append(
            {
                "name": f"{title_of(alert, wording)} · {translations.moment(start)} · {lasted}",
                "type": "line",
                "key": alert.dedup_key,
                "symbolSize": 10,
                "lineStyle": {"width": 10, "color": colour, "cap": "round"},
                "itemStyle": {"color": colour},
                "data": [[start, name], [end, name]],
            }
        )
    times = [ms for bar in bars for ms, _ in bar["data"]]
    axis = timed(translations, min(times, default=0), max(times, default=0))
    return STATIC | {
        "grid": {"left": 4, "right": 24, "top": 4, "bottom": 4, "containLabel": True},
        "legend": {"show": False},
        "tooltip": TOOLTIP | {"trigger": "item", "formatter": "{a}"},
        "xAxis": axis | {"splitLine": axis["splitLine"] | {"show": True, "lineStyle": {"color": "var(--line)"}}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": names,
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": FONT | {"color": "var(--text)", "overflow": "truncate", ":formatter": _WITHOUT_NUMBER},
        },
        "series": bars,
        # On a telephone the bars need the room.
        "media": [
            {"query": {"maxWidth": 560}, "option": {"yAxis": {"axisLabel": {"width": 110}}}},
            {"option": {"yAxis": {"axisLabel": {"width": 400}}}},
        ],
    }


def timeline_description(alerts: Sequence[Alert], translations: Translations) -> str:
    firing = sum(alert.status == "firing" for alert in alerts)
    return translations("alerts.in_words", n=len(alerts), firing=firing)


def _name(subject: str, number: int) -> str:
    """Name of a bar: the alert's subject, and a number to tell alerts of one subject apart, which the axis hides."""
    return f"{cut(subject, _NAME_CHARS)}#{number}"


def _choices(page: PageContext, chosen: str) -> Markup:
    translations = page.translations
    links = [
        (
            translations.term("status", name) if name else translations("alerts.all"),
            f"{page.root}alerts" + (f"?status={name}" if name else ""),
            name == chosen,
        )
        for name in ("", "firing", "resolved")
    ]
    return choices(translations("column.status"), links)
