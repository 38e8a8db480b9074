"""Numbers and times as the page writes them."""

from triage.clock import from_ms

_MINUTE_MS = 60_000


def number(value: int | None) -> str:
    """`12,345`; a dash where it is not known."""
    return "–" if value is None else f"{value:,}"


def percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def quantity(value: float) -> str:
    """`12` or `3.4`: one decimal only where it says something."""
    return f"{value:,.0f}" if value >= 10 or float(value).is_integer() else f"{value:,.1f}"


def when(ms: int, now_ms: int) -> str:
    """`14:05` on the day of `now_ms`, else `Nov 21, 14:05` (UTC)."""
    moment, now = from_ms(ms), from_ms(now_ms)
    if moment.date() == now.date():
        return f"{moment:%H:%M}"
    year = "" if moment.year == now.year else f" {moment.year}"
    return f"{moment:%b} {moment.day}{year}, {moment:%H:%M}"


def duration(ms: int) -> str:
    """`5 min`, `2 h 10 min`, `3 d 4 h`; below a minute `under a minute`."""
    minutes = max(0, ms) // _MINUTE_MS
    if minutes < 1:
        return "under a minute"
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h")] if days else [(hours, "h"), (left, "min")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value)
