"""Formats times in a time zone, with UTC added if the two differ. Times are in ms since the epoch."""

from datetime import UTC, datetime, timedelta, tzinfo

from triage.clock import from_ms


def offset_name(ms: int, zone: tzinfo) -> str:
    """Return the zone's offset from UTC at the time `ms`: `UTC`, `UTC+8` or `UTC-3:30`."""
    minutes = _offset(ms, zone) // timedelta(minutes=1)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def is_utc(ms: int, zone: tzinfo) -> bool:
    """True if the zone's time equals UTC at that moment, such as London's in winter."""
    return not _offset(ms, zone)


def local(ms: int, zone: tzinfo) -> datetime:
    return from_ms(ms).astimezone(zone)


def moment_in(ms: int, zone: tzinfo) -> str:
    """Format a time as `2026-11-22 17:30 UTC+8 (09:30 UTC)`, or `2026-11-22 09:30 UTC` if the zone's time is UTC."""
    here = local(ms, zone)
    text = f"{here:%Y-%m-%d %H:%M} {offset_name(ms, zone)}"
    return text if is_utc(ms, zone) else f"{text} ({_utc(ms, here)} UTC)"


def between_in(begin_ms: int, end_ms: int, zone: tzinfo) -> tuple[str, str]:
    """Format start and end of a window in the zone's time: (`17:30`, `18:30 UTC+8 (09:30–10:30 UTC)`)."""
    begin, end = local(begin_ms, zone), local(end_ms, zone)
    tail = f"{end:%H:%M} {offset_name(end_ms, zone)}"
    if not is_utc(end_ms, zone):
        tail += f" ({from_ms(begin_ms):%H:%M}–{from_ms(end_ms):%H:%M} UTC)"
    return f"{begin:%H:%M}", tail


def _utc(ms: int, here: datetime) -> str:
    """Format a time in UTC, without the date if it is the same as that of `here`."""
    there = from_ms(ms).astimezone(UTC)
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%Y-%m-%d %H:%M}"


def _offset(ms: int, zone: tzinfo) -> timedelta:
    return local(ms, zone).utcoffset() or timedelta()
