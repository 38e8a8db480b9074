"""The time axis of charts in the reader's time zone.

ECharts supports only UTC and the browser's time zone. So the ticks and their labels are computed here, at full hours,
days or months of the reader's time zone; the browser formats only the time at the mouse pointer.
"""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from babel.dates import format_datetime

from triage.clock import MINUTE_MS, to_ms
from triage.translations import Translations

_DAY_MIN = 24 * 60
_STEPS_MIN = (5, 10, 15, 30, 60, 120, 180, 360, 720, _DAY_MIN, 2 * _DAY_MIN, 7 * _DAY_MIN, 14 * _DAY_MIN)
_STEPS_MONTHS = (1, 2, 3, 6, 12, 24, 60)
_MAX_TICKS = 9
_MONTH_MS = 30 * _DAY_MIN * MINUTE_MS


def time_axis(translations: Translations, start_ms: int, end_ms: int, offset_ms: int = 0) -> dict[str, Any]:
    """ECharts options of a time axis over these event times in ms; without labelled ticks if `end_ms` is 0.

    `offset_ms` is subtracted from the time at the mouse pointer, because bars are drawn in the middle of their step.
    """
    named = ticks(start_ms, end_ms, translations) if end_ms > start_ms else {}
    shown = {str(ms): name for ms, name in named.items()}
    # ECharts 6.1 leaves room for the labels of its own ticks, not of these: a blank is as high as a name.
    own = {"customValues": list(named)} if named else {}
    return {
        "type": "time",
        "axisLine": {"lineStyle": {"color": "var(--line)"}},
        "axisTick": {"show": False, **own},
        "axisLabel": {"hideOverlap": True, ":formatter": f"(value) => ({json.dumps(shown)})[value] ?? ' '", **own},
        "splitLine": {"show": False, **own},
        "axisPointer": {"label": {":formatter": _pointer(translations, offset_ms)}},
    }


def ticks(start_ms: int, end_ms: int, translations: Translations) -> dict[int, str]:
    """Return the labels of at most ten ticks between two event times, by time in ms.

    They are dates where a day begins in the reader's time zone, and hours between.
    """
    zone = translations.tzinfo
    span_min = (end_ms - start_ms) / MINUTE_MS
    step_min = next((step for step in _STEPS_MIN if span_min / step <= _MAX_TICKS), None)
    found = _months(start_ms, end_ms, zone) if step_min is None else _regular(start_ms, end_ms, step_min, zone)
    named: dict[int, str] = {}
    for moment in found:
        ms = to_ms(moment)
        if start_ms <= ms <= end_ms:
            named.setdefault(ms, _name(moment, translations, months=step_min is None))
    return named


def _regular(start_ms: int, end_ms: int, step_min: int, zone: tzinfo) -> Iterator[datetime]:
    """Times every `step_min` minutes from each midnight on the zone's clock, or midnights some days apart.

    Where clocks change, a step is longer or shorter.
    """
    day, last = _date(start_ms, zone), _date(end_ms, zone)
    step_days = max(1, step_min // _DAY_MIN)
    while day <= last:
        if day.toordinal() % step_days == (1 if step_days % 7 == 0 else 0):  # weeks begin on Mondays
            for minute in range(0, _DAY_MIN, min(step_min, _DAY_MIN)):
                yield datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
        day += timedelta(days=1)


def _months(start_ms: int, end_ms: int, zone: tzinfo) -> Iterator[datetime]:
    months = (end_ms - start_ms) / _MONTH_MS
    step = next((step for step in _STEPS_MONTHS if months / step <= _MAX_TICKS), _STEPS_MONTHS[-1])
    first, last = _date(start_ms, zone), _date(end_ms, zone)
    for number in range(first.year * 12, last.year * 12 + 12, step):
        yield datetime(number // 12, number % 12 + 1, 1, tzinfo=zone)


def _name(moment: datetime, translations: Translations, *, months: bool) -> str:
    plain = moment.replace(tzinfo=None)
    if months and moment.month == 1:
        return f"{moment.year}"
    name = "axis_month" if months else "clock" if moment.hour or moment.minute else "axis_day"
    return format_datetime(plain, translations(f"time.{name}"), locale=translations.language)


def _date(ms: int, zone: tzinfo) -> date:
    return datetime.fromtimestamp(ms / 1000, zone).date()


def _pointer(translations: Translations, offset_ms: int) -> str:
    """JavaScript function that formats the time under the pointer on the reader's clock, and in UTC."""
    fields = {"month": "short", "day": "numeric", "hour": "2-digit", "minute": "2-digit", "hourCycle": "h23"}
    language = json.dumps(translations.html_language)

    def formatted(zone: str) -> str:
        options = json.dumps({**fields, "timeZone": zone})
        return f"new Intl.DateTimeFormat({language}, {options}).format(value - {offset_ms})"

    if translations.zone == "UTC":
        return f"({{value}}) => {formatted('UTC')} + ' UTC'"
    return f"({{value}}) => {formatted(translations.zone)} + ' · ' + {formatted('UTC')} + ' UTC'"
