"""ECharts options as plain data. Colours are CSS variables (console.css), so that light and dark need no redraw."""

from datetime import datetime
from typing import Any

from triage.clock import to_ms
from triage.console.snapshot import IntentCount, Snapshot
from triage.console.wording import duration
from triage.schemas.alert import Alert

Options = dict[str, Any]

SENTIMENTS = ("negative", "neutral", "positive")
MAX_INTENTS = 8
_FONT_FAMILY = "system-ui, sans-serif"  # a real one: with "inherit" ECharts measures another font than it draws
_FONT = {"color": "var(--muted)", "fontFamily": _FONT_FAMILY, "fontSize": 12}
_TIMES = {"year": "{yyyy}", "month": "{MMM}", "day": "{MMM} {d}", "hour": "{HH}:{mm}", "minute": "{HH}:{mm}"}
_TOOLTIP = {
    "trigger": "axis",
    "confine": True,
    "backgroundColor": "var(--card)",
    "borderColor": "var(--line)",
    "textStyle": {"color": "var(--text)", "fontFamily": _FONT_FAMILY, "fontSize": 13},
}
_STILL = {"animation": False, "textStyle": {"fontFamily": _FONT_FAMILY}, "useUTC": True}


def sentiment_over_time(snapshot: Snapshot) -> Options:
    """Stacked areas by sentiment over event time, with a band from the start to the end of every alert."""
    slots = snapshot.timeline
    series = [
        {
            "name": sentiment,
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
    alerts = [*snapshot.open_alerts, *snapshot.resolved_alerts]
    first_ms = slots[0].start_ms if slots else 0
    bands = [band for alert in alerts if (band := _band(alert, first_ms, snapshot.at_ms))] if slots else []
    series[0]["markArea"] = {
        "silent": True,
        "itemStyle": {"color": "var(--alert-band)", "opacity": 1, "borderColor": "var(--critical)", "borderWidth": 1},
        "label": {"color": "var(--critical-text)", "fontSize": 12, "fontWeight": 600, "fontFamily": _FONT_FAMILY},
        "data": bands,
    }
    return _STILL | {
        "grid": {"left": 8, "right": 24, "top": 28, "bottom": 4, "containLabel": True},
        "legend": {"show": False},
        "tooltip": _TOOLTIP,
        "xAxis": {
            "type": "time",
            "axisLine": {"lineStyle": {"color": "var(--line)"}},
            "axisTick": {"show": False},
            "axisLabel": _FONT | {"hideOverlap": True, "formatter": _TIMES},
            "max": slots[-1].start_ms + snapshot.step_ms if slots else None,
            "splitLine": {"show": False},
        },
        "yAxis": {
            "type": "value",
            "minInterval": 1,
            "axisLabel": _FONT,
            "splitLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "series": series,
    }


def top_intents(intents: list[IntentCount]) -> Options:
    """Horizontal bars stacked by sentiment, most negative records on top."""
    shown = _most_negative(intents)
    return _STILL | {
        "grid": {"left": 4, "right": 16, "top": 4, "bottom": 4, "containLabel": True},
        "legend": {"show": False},
        "tooltip": _TOOLTIP | {"axisPointer": {"type": "none"}},
        "xAxis": {
            "type": "value",
            "minInterval": 1,
            "splitNumber": 3,
            "axisLabel": _FONT,
            "splitLine": {"lineStyle": {"color": "var(--line)"}},
        },
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [readable(one.intent) for one in shown],
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": _FONT | {"color": "var(--text)", "fontSize": 13},
        },
        "series": [
            {
                "name": sentiment,
                "type": "bar",
                "stack": "records",
                "silent": True,
                "barMaxWidth": 18,
                "itemStyle": {"color": f"var(--{sentiment})"},
                "data": [getattr(one.counts, sentiment) for one in shown],
            }
            for sentiment in SENTIMENTS
        ],
    }


def timeline_in_words(snapshot: Snapshot) -> str:
    """What a screen reader says for the chart."""
    if not snapshot.timeline:
        return "Sentiment over time: no records yet"
    peak = max(snapshot.timeline, key=lambda slot: slot.counts.negative)
    step = duration(snapshot.step_ms)
    alerts = len(snapshot.open_alerts) + len(snapshot.resolved_alerts)
    return (
        f"Sentiment over time: {len(snapshot.timeline)} steps of {step}; "
        f"at most {peak.counts.negative} negative records in one step; {alerts} alerts marked"
    )


def intents_in_words(intents: list[IntentCount]) -> str:
    """What a screen reader says for the bars."""
    listed = ", ".join(f"{readable(one.intent)} {one.counts.negative}" for one in _most_negative(intents))
    return f"Top intents by negative records: {listed}" if listed else "Top intents: no records yet"


def readable(name: str) -> str:
    """`product_fault` -> `product fault`."""
    return name.replace("_", " ")


def moment_ms(text: str) -> int:
    """Epoch milliseconds of an RFC 3339 time of our own records."""
    return to_ms(datetime.fromisoformat(text))


def _most_negative(intents: list[IntentCount]) -> list[IntentCount]:
    return sorted(intents, key=lambda one: (-one.counts.negative, -one.counts.total, one.intent))[:MAX_INTENTS]


def _band(alert: Alert, first_ms: int, now_ms: int) -> list[Options] | None:
    start = moment_ms(alert.started_at)
    end = moment_ms(alert.ended_at) if alert.ended_at else max(now_ms, start)
    if end < first_ms:
        return None
    return [{"xAxis": max(start, first_ms), "name": "alert"}, {"xAxis": end}]
