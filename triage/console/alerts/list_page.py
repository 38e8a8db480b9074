"""*Alerts*: which, when and for how long on a timeline, the list of them, and the silences in force."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from html import escape

from fastapi import Request
from nicegui import ui

from triage.alerting.lifecycle.silences import shown
from triage.clock import parse_rfc3339
from triage.console.dependencies import Dependencies
from triage.console.now.page import chart, draw
from triage.console.translations import Translations
from triage.console.web import fragments
from triage.console.web.charts import FONT, STILL, TOOLTIP, Options, time_axis
from triage.console.web.highlighting import cut
from triage.console.web.layout import Visit, choices, page_layout, section
from triage.elastic.search import open_alerts, recent_alerts
from triage.errors import TriageError
from triage.logging import get_logger
from triage.schemas.action import Silence
from triage.schemas.alert import Alert

log = get_logger("triage.console")

_REFRESH_S = 4.0
_MOST = 50
_ROWS = 24
_ROW_PX = 26
_NAME_CHARS = 44
_WITHOUT_NUMBER = "(name) => name.slice(0, name.lastIndexOf('#'))"


def alerts_page(site: Dependencies) -> Callable[..., Awaitable[None]]:
    async def page(request: Request, status: str = "") -> None:
        chosen = status if status in {"firing", "resolved"} else ""
        with page_layout(request, "alerts") as visit:
            view = _View(site, visit, chosen)
        await view.refresh()
        ui.timer(_REFRESH_S, view.refresh)

    return page


def read_alerts(site: Dependencies) -> list[Alert]:
    """Those that are open, then the latest. Blocks; raises a TriageError."""
    client, settings = site.client, site.settings.elasticsearch
    found = [*open_alerts(client, settings, _MOST), *recent_alerts(client, settings, _MOST)]
    return list({alert.dedup_key: alert for alert in found}.values())


class _View:
    def __init__(self, site: Dependencies, visit: Visit, status: str) -> None:
        words = self._words = visit.words
        self._site, self._visit, self._status = site, visit, status
        self._banner = ui.html("", sanitize=False).classes("whole").props('aria-live="assertive"')
        with section("timeline", words("alerts.timeline"), "whole"):
            self._chart = chart("chart", timeline([], 0, words))
        with section("list", words("nav.alerts"), "wide"):
            ui.html(_choices(visit, status), sanitize=False)
            self._list = ui.html("", sanitize=False).props('aria-live="polite"')
        with section("silences", words("alerts.silences"), "narrow follows"):
            self._silences = ui.element("div")
        self._shown_silences: list[Silence] | None = None

    async def refresh(self) -> None:
        words, now_ms = self._words, self._site.clock.now_ms()
        try:
            alerts = await asyncio.to_thread(read_alerts, self._site)
        except TriageError as error:
            self._banner.content = fragments.banner(str(error), words, known=True)
            return
        self._banner.content = ""
        listed = [alert for alert in alerts if self._status in {"", alert.status}]
        cards = "".join(fragments.alert_card(alert, now_ms, words) for alert in listed)
        none = fragments.empty(words("now.no_alerts"), words("now.no_alerts_advice"))
        self._list.content = f'<ul class="alerts">{cards}</ul>' if cards else none
        self._chart.visible = bool(listed)
        self._chart.style(f"height: {min(len(listed), _ROWS) * _ROW_PX + 44}px")
        draw(self._chart, timeline(listed[:_ROWS], now_ms, words), timeline_in_words(listed, words))
        self._show_silences([one for one in self._site.silences() if one.until_ms > now_ms])

    def _show_silences(self, silences: list[Silence]) -> None:
        if silences == self._shown_silences:
            return
        self._shown_silences = silences
        words = self._words
        self._silences.clear()
        with self._silences:
            if not silences:
                ui.html(f"<p class='caption below'>{words('alerts.no_silences')}</p>", sanitize=False)
            for silence in silences:
                until = words("alerts.until", when=words.moment(silence.until_ms), by=silence.actor)
                comment = f"<blockquote>{escape(silence.comment)}</blockquote>" if silence.comment else ""
                said = f"<code>{escape(shown(silence.matchers))}</code><p>{escape(until)}</p>{comment}"
                ui.html(said, sanitize=False)
                if self._visit.user.may_act and self._site.actions is not None:
                    ui.button(words("alerts.end_silence"), on_click=lambda one=silence: self._end(one)).props(
                        "flat dense no-caps"
                    )

    async def _end(self, silence: Silence) -> None:
        assert self._site.actions is not None
        try:
            await asyncio.to_thread(self._site.actions.expire, silence, self._visit.user.name)
        except TriageError as error:
            ui.notify(self._words("correct.failed", why=str(error)), type="negative", close_button=True)
            return
        log.info("silence_ended", silence=silence.id, by=self._visit.user.name)
        ui.notify(self._words("alerts.silence_ended"), type="positive")


def timeline(alerts: Sequence[Alert], now_ms: int, words: Translations) -> Options:
    """A bar for each alert from its start to its end, or until now; the newest on top."""
    names = [_name(words.subject(alert.dimensions), number) for number, alert in enumerate(alerts)]
    bars: list[Options] = []
    for name, alert in zip(names, alerts, strict=True):
        start = parse_rfc3339(alert.started_at)
        end = parse_rfc3339(alert.ended_at) if alert.ended_at else max(now_ms, start)
        colour = "var(--critical)" if alert.status == "firing" else "var(--neutral)"
        lasted = words.duration(end - start)
        bars.append(
            {
                "name": f"{alert.title} · {words.moment(start)} · {lasted}",
                "type": "line",
                "symbolSize": 10,
                "lineStyle": {"width": 10, "color": colour, "cap": "round"},
                "itemStyle": {"color": colour},
                "data": [[start, name], [end, name]],
            }
        )
    return STILL | {
        "grid": {"left": 4, "right": 24, "top": 4, "bottom": 4, "containLabel": True},
        "legend": {"show": False},
        "tooltip": TOOLTIP | {"trigger": "item", "formatter": "{a}"},
        "xAxis": time_axis(words) | {"splitLine": {"show": True, "lineStyle": {"color": "var(--line)"}}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": names,
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": FONT | {"color": "var(--text)", ":formatter": _WITHOUT_NUMBER},
        },
        "series": bars,
    }


def timeline_in_words(alerts: Sequence[Alert], words: Translations) -> str:
    firing = sum(alert.status == "firing" for alert in alerts)
    return words("alerts.in_words", n=len(alerts), firing=firing)


def _name(about: str, number: int) -> str:
    """The number keeps episodes of one key apart and is not shown."""
    return f"{cut(about, _NAME_CHARS)}#{number}"


def _choices(visit: Visit, chosen: str) -> str:
    words = visit.words
    links = [
        (
            words.term("status", name) if name else words("alerts.all"),
            f"{visit.root}alerts" + (f"?status={name}" if name else ""),
            name == chosen,
        )
        for name in ("", "firing", "resolved")
    ]
    return choices(words("column.status"), links)
