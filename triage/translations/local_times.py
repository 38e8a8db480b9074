"""Times on the clock of a zone, with UTC wherever the two differ."""

from datetime import UTC, datetime, timedelta, tzinfo

from triage.clock import from_ms


def offset_name(ms: int, zone: tzinfo) -> str:
    """`UTC`, `UTC+8`, `UTC-3:30`: how far the zone's clock is from UTC at that time."""
    minutes = _offset(ms, zone) // timedelta(minutes=1)
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '-'}{hours}" + (f":{rest:02d}" if rest else "")


def is_utc(ms: int, zone: tzinfo) -> bool:
    """True while the zone's clock shows UTC, as London's in winter."""
    return not _offset(ms, zone)


def local(ms: int, zone: tzinfo) -> datetime:
    return from_ms(ms).astimezone(zone)


def moment_in(ms: int, zone: tzinfo) -> str:
    """`2026-11-22 17:30 UTC+8 (09:30 UTC)`; `2026-11-22 09:30 UTC` where the clocks agree."""
    here = local(ms, zone)
    text = f"{here:%Y-%m-%d %H:%M} {offset_name(ms, zone)}"
    return text if is_utc(ms, zone) else f"{text} ({_utc(ms, here)} UTC)"


def between_in(begin_ms: int, end_ms: int, zone: tzinfo) -> tuple[str, str]:
    """Both ends of a window by the clock: `17:30` and `18:30 UTC+8 (09:30–10:30 UTC)`."""
    begin, end = local(begin_ms, zone), local(end_ms, zone)
    tail = f"{end:%H:%M} {offset_name(end_ms, zone)}"
    if not is_utc(end_ms, zone):
        tail += f" ({from_ms(begin_ms):%H:%M}–{from_ms(end_ms):%H:%M} UTC)"
    return f"{begin:%H:%M}", tail


def _utc(ms: int, here: datetime) -> str:
    """Without the date where it is the same day."""
    there = from_ms(ms).astimezone(UTC)
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there:%Y-%m-%d %H:%M}"


def _offset(ms: int, zone: tzinfo) -> timedelta:
    return local(ms, zone).utcoffset() or timedelta()
