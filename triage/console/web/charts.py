"""ECharts options as plain data. Colours are CSS variables (console.css), so that a change to dark needs no redraw."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from triage.clock import parse_rfc3339
from triage.console.data.snapshot import IntentCount, TimeSlot
from triage.console.web.highlighting import cut
from triage.console.web.templates import render
from triage.console.web.time_axis import time_axis
from triage.schemas.alert import Alert
from triage.translations import Translations

Options = dict[str, Any]

SENTIMENTS = ("negative", "neutral", "positive")
MAX_INTENTS = 8
_BAND_CHARS = 24
_FONT_FAMILY = "system-ui, sans-serif"  # a real one: with "inherit" ECharts measures another font than it draws
FONT = {"color": "var(--muted)", "fontFamily": _FONT_FAMILY, "fontSize": 12}
TOOLTIP = {
    "trigger": "axis",
    "confine": True,
    "backgroundColor": "var(--card)",
    "borderColor": "var(--line)",
    "textStyle": {"color": "var(--text)", "fontFamily": _FONT_FAMILY, "fontSize": 13},
}
STATIC: Options = {"animation": False, "textStyle": {"fontFamily": _FONT_FAMILY}, "useUTC": True}


def sentiment_over_time(
    slots: Sequence[TimeSlot], step_ms: int, now_ms: int, alerts: Sequence[Alert], translations: Translations
) -> Options:
    """Options of the chart of records over event time: areas stacked by sentiment, and a named band for each alert."""
    first_ms, end_ms = (slots[0].start_ms, slots[-1].start_ms + step_ms) if slots else (0, 0)
    series: list[Options] = [
        {
            "name": translations.term("sentiment", sentiment),
            "type": "line",
            "stack": "records",
            "showSymbol": False,
            "silent": True,
            "lineStyle": {"width": 1.5, "color": f"var(--{sentiment})"},
            "itemStyle": {"color": f"var(--{sentiment})"},
            "areaStyle": {"color": f"var(--{sentiment})", "opacity": 0.32},
            "data": [[slot.start_ms, getattr(slot.counts, sentiment)] for slot in slots],
        }
        for sentiment in SENTIMENTS
    ]
    for area in series:
        # The line of an empty area would cover the line of the area below it.
        if not any(value for _, value in area["data"]):
            area["lineStyle"] = area["lineStyle"] | {"width": 0}
    bands = _bands(slots, now_ms, alerts, translations) if slots else []
    series[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": "var(--alert-band)", "opacity": 1, "borderColor": "var(--critical)", "borderWidth": 1},
        "label": {"color": "var(--critical-text)", "fontSize": 12, "fontWeight": 600, "fontFamily": _FONT_FAMILY},
        "data": bands,
    }
    return STATIC | {
        "grid": {"left": 8, "right": 24, "top": 44 if bands else 12, "bottom": 4, "containLabel": True},
        "legend": {"show": False},
        "tooltip": TOOLTIP,
        "xAxis": timed(translations, first_ms, end_ms) | {"max": end_ms or None},
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": FONT,
            "splitLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "series": series,
    }


def timed(translations: Translations, start_ms: int, end_ms: int) -> Options:
    """Options of a time axis with the charts' font and colours."""
    axis = time_axis(translations, start_ms, end_ms)
    return axis | {"axisLabel": FONT | axis["axisLabel"]}


def top_intents(intents: list[IntentCount], translations: Translations) -> Options:
    """Options of horizontal bars stacked by sentiment, the intent with most negative records on top."""
    top = _most_negative(intents)
    return STATIC | {
        "grid": {"left": 4, "right": 16, "top": 4, "bottom": 4, "containLabel": True},
        "legend": {"show": False},
        "tooltip": TOOLTIP | {"axisPointer": {"type": "none"}},
        "xAxis": {
            "type": "value",
            "minInterval": 1,
            "splitNumber": 3,
            "axisLabel": FONT,
            "splitLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [translations.intent(each.intent) for each in top],
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": FONT | {"color": "var(--text)", "fontSize": 13},
        },
        "series": [
            {
                "name": translations.term("sentiment", sentiment),
                "type": "bar",
                "stack": "records",
                "silent": True,
                "barMaxWidth": 18,
                "itemStyle": {"color": f"var(--{sentiment})"},
                "data": [getattr(each.counts, sentiment) for each in top],
            }
            for sentiment in SENTIMENTS
        ],
    }


def timeline_description(slots: Sequence[TimeSlot], step_ms: int, alerts: int, translations: Translations) -> str:
    """Describe the chart over time in a sentence for screen readers; `alerts` is the number of alerts."""
    if not slots:
        return translations("chart.no_records")
    peak = max(slots, key=lambda slot: slot.counts.negative)
    return translations(
        "chart.over_time",
        steps=len(slots),
        step=translations.duration(step_ms),
        peak=peak.counts.negative,
        when=translations.moment(peak.start_ms),
        alerts=alerts,
    )


def timeline_table(slots: Sequence[TimeSlot], now_ms: int, translations: Translations) -> Markup:
    """Render the chart over time as a table, newest first; steps without records are left out."""
    rows = [
        (slot.start_ms, [getattr(slot.counts, name) for name in SENTIMENTS])
        for slot in reversed(slots)
        if slot.counts.total
    ]
    return render("web/timeline_table.html", translations, sentiments=SENTIMENTS, rows=rows, now_ms=now_ms)


def intents_description(intents: list[IntentCount], translations: Translations) -> str:
    """Describe the bars of intents in a sentence for screen readers."""
    listed = ", ".join(f"{translations.intent(each.intent)} {each.counts.negative}" for each in _most_negative(intents))
    return translations("chart.intents", listed=listed) if listed else translations("chart.no_intents")


def _most_negative(intents: list[IntentCount]) -> list[IntentCount]:
    return sorted(intents, key=lambda each: (-each.counts.negative, -each.counts.total, each.intent))[:MAX_INTENTS]


def _band(alert: Alert, first_ms: int, now_ms: int, translations: Translations) -> list[Options] | None:
    start = parse_rfc3339(alert.started_at)
    end = parse_rfc3339(alert.ended_at) if alert.ended_at else max(now_ms, start)
    if end < first_ms:
        return None
    values = [value for name, value in alert.dimensions.items() if name != "intent"]
    intent = alert.dimensions.get("intent")
    name = " · ".join([*values, *([translations.intent(intent)] if intent else [])]) or translations("chart.spike")
    return [{"xAxis": max(start, first_ms), "name": cut(name, _BAND_CHARS)}, {"xAxis": end}]


def _bands(
    slots: Sequence[TimeSlot], now_ms: int, alerts: Sequence[Alert], translations: Translations
) -> list[list[Options]]:
    """Bands (`markArea` data) of the alerts that are within the chart.

    The names of neighbours alternate between two heights, and extend towards the middle of the chart.
    """
    first_ms = slots[0].start_ms
    middle_ms = (first_ms + slots[-1].start_ms) // 2
    bands = [band for alert in alerts if (band := _band(alert, first_ms, now_ms, translations))]
    for number, band in enumerate(sorted(bands, key=lambda band: int(band[0]["xAxis"]))):
        late = int(band[0]["xAxis"]) > middle_ms
        band[0]["label"] = {
            "position": ["100%", -16 - 14 * (number % 2)] if late else [0, -16 - 14 * (number % 2)],
            "align": "right" if late else "left",
        }
    return bands
