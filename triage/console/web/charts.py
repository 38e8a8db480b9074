"""ECharts options as plain data. Colours are CSS variables (console.css), so that a switch to dark needs no redraw."""

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
_OPACITY = 0.8
_HATCH = {"symbol": "rect", "color": "var(--card)", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": -0.785}
STATIC: Options = {"animation": False, "textStyle": {"fontFamily": _FONT_FAMILY}, "useUTC": True}


def sentiment_over_time(
    slots: Sequence[TimeSlot],
    step_ms: int,
    now_ms: int,
    alerts: Sequence[Alert],
    translations: Translations,
    unread_ms: int | None = None,
) -> Options:
    """Options of the chart of records over event time: bars stacked by sentiment, and a labelled band per alert.

    The bar of the current, incomplete step is hatched. The time after `unread_ms`, whose records are not all processed,
    is grey. A band's `key` is the `dedup_key` of its alert.
    """
    first_ms, end_ms = (slots[0].start_ms, slots[-1].start_ms + step_ms) if slots else (0, 0)
    series: list[Options] = [
        {
            "name": translations.term("sentiment", sentiment),
            "type": "bar",
            "stack": "records",
            "silent": True,
            "barCategoryGap": "10%",
            "itemStyle": {"color": f"var(--{sentiment})", "opacity": _OPACITY},
            "data": [_bar(slot, sentiment, step_ms, now_ms) for slot in slots],
        }
        for sentiment in SENTIMENTS
    ]
    bands = _bands(slots, end_ms, now_ms, alerts, translations) if slots else []
    unread = [] if unread_ms is None else [_unread_band(max(unread_ms, first_ms), end_ms, translations)]
    series[0]["markArea"] = {
        "itemStyle": {"color": "var(--alert-band)", "opacity": 1, "borderColor": "var(--critical)", "borderWidth": 1},
        "label": {"color": "var(--critical-text)", "fontSize": 12, "fontWeight": 600, "fontFamily": _FONT_FAMILY},
        "data": unread + bands,
    }
    return STATIC | {
        "grid": {"left": 8, "right": 24, "top": 44 if bands else 12, "bottom": 4, "containLabel": True},
        "legend": {"show": False},
        "tooltip": TOOLTIP | {"axisPointer": {"type": "line"}},
        # Between the first and the last bar's edges, whatever the bars' width.
        "xAxis": timed(translations, first_ms, end_ms, step_ms // 2) | {"min": first_ms or None, "max": end_ms or None},
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": FONT,
            "splitLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "brush": {"xAxisIndex": 0, "brushStyle": {"color": "var(--model)", "opacity": 0.5, "borderWidth": 0}},
        # What turns the brush on; its buttons are drawn nowhere.
        "toolbox": {"show": False},
        "series": series,
    }


def running(slot: TimeSlot, step_ms: int, now_ms: int) -> bool:
    """True if the step of the chart `slot`, `step_ms` long, has begun and not ended at `now_ms`."""
    return slot.start_ms <= now_ms < slot.start_ms + step_ms


def timed(translations: Translations, start_ms: int, end_ms: int, offset_ms: int = 0) -> Options:
    """Return ECharts options of a time axis with the charts' font and colours.

    Data are drawn `offset_ms` later than their time, in the middle of their step.
    """
    axis = time_axis(translations, start_ms, end_ms, offset_ms)
    return axis | {"axisLabel": FONT | axis["axisLabel"]}


def top_intents(intents: list[IntentCount], translations: Translations) -> Options:
    """ECharts options of horizontal bars stacked by sentiment: intents with most negative records, the first on top."""
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


def legend(translations: Translations) -> Markup:
    """Render the colours of the sentiments; screen readers have the chart's description."""
    return render("web/legend.html", translations, sentiments=SENTIMENTS)


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


def timeline_table(slots: Sequence[TimeSlot], step_ms: int, now_ms: int, translations: Translations) -> Markup:
    """Render numbers of records by sentiment as a table, the newest step first; steps without any are left out."""
    rows = [
        (slot.start_ms, [getattr(slot.counts, name) for name in SENTIMENTS], running(slot, step_ms, now_ms))
        for slot in reversed(slots)
        if slot.counts.total
    ]
    return render("web/timeline_table.html", translations, sentiments=SENTIMENTS, rows=rows, now_ms=now_ms)


def intents_description(intents: list[IntentCount], translations: Translations) -> str:
    """Describe the bars of `top_intents` in a sentence for screen readers."""
    listed = ", ".join(f"{translations.intent(each.intent)} {each.counts.negative}" for each in _most_negative(intents))
    return translations("chart.intents", listed=listed) if listed else translations("chart.no_intents")


def _most_negative(intents: list[IntentCount]) -> list[IntentCount]:
    return sorted(intents, key=lambda each: (-each.counts.negative, -each.counts.total, each.intent))[:MAX_INTENTS]


def _band(alert: Alert, first_ms: int, end_ms: int, now_ms: int, translations: Translations) -> list[Options] | None:
    start = parse_rfc3339(alert.started_at)
    end = parse_rfc3339(alert.ended_at) if alert.ended_at else max(now_ms, start)
    if end < first_ms or start >= end_ms:
        return None
    values = [value for name, value in alert.dimensions.items() if name != "intent"]
    intent = alert.dimensions.get("intent")
    name = " · ".join([*values, *([translations.intent(intent)] if intent else [])]) or translations("chart.spike")
    return [{"xAxis": max(start, first_ms), "name": cut(name, _BAND_CHARS), "key": alert.dedup_key}, {"xAxis": end}]


def _unread_band(start_ms: int, end_ms: int, translations: Translations) -> list[Options]:
    style = {"color": "var(--unread)", "borderWidth": 0}
    label = {"color": "var(--muted)", "fontWeight": 400, "position": ["100%", 6], "align": "right"}
    name = translations("chart.unread")
    return [{"xAxis": start_ms, "name": name, "itemStyle": style, "label": label}, {"xAxis": max(start_ms, end_ms)}]


def _bar(slot: TimeSlot, sentiment: str, step_ms: int, now_ms: int) -> Options | list[int]:
    """A value in the middle of its step; hatched while the step is running."""
    value = [slot.start_ms + step_ms // 2, getattr(slot.counts, sentiment)]
    if not running(slot, step_ms, now_ms):
        return value
    return {"value": value, "itemStyle": {"decal": _HATCH, "opacity": _OPACITY}}


def _bands(
    slots: Sequence[TimeSlot], end_ms: int, now_ms: int, alerts: Sequence[Alert], translations: Translations
) -> list[list[Options]]:
    """Bands (`markArea` data) of the alerts that are within the chart.

    The names of neighbours alternate between two heights, and extend towards the middle of the chart.
    """
    first_ms = slots[0].start_ms
    middle_ms = (first_ms + slots[-1].start_ms) // 2
    bands = [band for alert in alerts if (band := _band(alert, first_ms, end_ms, now_ms, translations))]
    for number, band in enumerate(sorted(bands, key=lambda band: int(band[0]["xAxis"]))):
        late = int(band[0]["xAxis"]) > middle_ms
        band[0]["label"] = {
            "position": ["100%", -16 - 14 * (number % 2)] if late else [0, -16 - 14 * (number % 2)],
            "align": "right" if late else "left",
        }
    return bands
