"""Clocks, which are passed to the code: `SystemClock` in production, `ManualClock` in tests, `ScaledClock` in the demo.

Also converts times between milliseconds since the epoch, datetimes and RFC 3339.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


class Clock(Protocol):
    """A source of time: wall time in UTC for events, monotonic seconds for durations and timeouts."""

    def now_ms(self) -> int:
        """Wall time in milliseconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never decreases."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for this number of seconds; a `ManualClock` advances its time instead."""
        ...


class SystemClock:
    """The clock of the operating system."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ScaledClock:
    """Simulated wall time `origin + (real - anchor) * speed`, the same in every process with the same settings.

    Durations are real, because timeouts and backoff concern the machine, not the simulated days. From the simulated
    time `until` on, time advances at real speed, so that a replay that ends "now" does not continue into the future.
    """

    def __init__(self, origin: datetime, anchor: datetime, speed: float, until: datetime | None = None) -> None:
        self._origin_ms = to_ms(origin)
        self._anchor_ms = to_ms(anchor)
        self._speed = speed
        self._until_ms = None if until is None else to_ms(until)

    def now_ms(self) -> int:
        elapsed = time.time_ns() / 1e6 - self._anchor_ms
        simulated = self._origin_ms + elapsed * self._speed
        if self._until_ms is not None and simulated > self._until_ms:
            simulated = self._until_ms + (elapsed - (self._until_ms - self._origin_ms) / self._speed)
        return int(simulated)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ManualClock:
    """A clock for tests, which only `advance`, `set` and `sleep` move."""

    def __init__(self, now: datetime | int = 0) -> None:
        self._now_ms = now if isinstance(now, int) else to_ms(now)
        self._monotonic = 0.0

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)
        self._monotonic += seconds

    def set(self, now: datetime | int) -> None:
        self._now_ms = now if isinstance(now, int) else to_ms(now)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_10000_MS = 253_402_300_800_000
"""Exclusive upper bound of valid times, beyond which Python has no dates; an offset may move 9999-12-31 there."""


def to_ms(moment: datetime) -> int:
    """Convert an aware datetime to milliseconds since the epoch."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """Convert milliseconds since the epoch to a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def parse_rfc3339(text: str) -> int:
    """Convert a time in the format of `rfc3339` to milliseconds since the epoch.

    Raises ValueError for other text, also for a time without an offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC")
    return to_ms(moment)


def rfc3339(ms: int) -> str:
    """Format milliseconds since the epoch as RFC 3339 in UTC: `2026-11-22T09:30:00.000Z`."""
    seconds, millis = divmod(ms, 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


@lru_cache(maxsize=512)
def _second(seconds: int) -> str:
    days, second = divmod(seconds, 86_400)
    return f"{_date(days)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


@lru_cache(maxsize=512)
def _date(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).date().isoformat()


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone with this IANA name, such as `Asia/Shanghai`. Raises ValueError for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; use an IANA name, e.g. Asia/Shanghai or UTC") from None
