"""Position of a window in the day and the week, in the rule's time zone."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

DAY_S = 86_400
_HOUR_S = 3_600
_SUNDAY = 6


@dataclass(frozen=True, slots=True)
class Season:
    """A table of multiplicative factors over one period.

    `prior` counts of the key's mean shrink each factor to 1; `spread` is how far from 1 (as a relative standard
    deviation) factors are before anything is known; `reach` is the half-width of the kernel that reads it, in bins.
    """

    name: str
    bins: int
    period_s: int
    prior: float
    spread: float
    reach: float
    half_life_s: float


@dataclass(frozen=True, slots=True)
class Position:
    """Bins of a season's table to read with their weights, and the bin to write; None on a holiday."""

    read: tuple[tuple[int, float], ...]
    write: int | None


HOUR_OF_DAY = Season("hour of day", 24, DAY_S, 40.0, 0.5, 2.0, 28 * DAY_S)
HOUR_OF_WEEK = Season("hour of week", 168, 7 * DAY_S, 60.0, 0.25, 1.0, 70 * DAY_S)
DAY_OF_WEEK = Season("day of week", 7, 7 * DAY_S, 60.0, 0.25, 1.0, 70 * DAY_S)


def seasons_for(step_s: int) -> tuple[Season, ...]:
    """The periods, up to a week, that windows of this length can tell apart."""
    if step_s < DAY_S:
        return (HOUR_OF_DAY, HOUR_OF_WEEK)
    return (DAY_OF_WEEK,) if step_s < 7 * DAY_S else ()


class Calendar:
    """Positions of windows of `step_s` seconds in the seasons: those of their middle."""

    def __init__(self, seasons: tuple[Season, ...], step_s: int, zone: str, holidays: Collection[date]) -> None:
        self._seasons = seasons
        self._middle_ms = step_s * 500
        self._zone = ZoneInfo(zone)
        self._holidays = frozenset(holidays)

    def positions(self, start_ms: int) -> list[Position]:
        """Position in each season of the window that starts at `start_ms`."""
        local = datetime.fromtimestamp((start_ms + self._middle_ms) / 1000, UTC).astimezone(self._zone)
        holiday = local.date() in self._holidays
        hour = local.hour + local.minute / 60 + local.second / 3600
        weekday = _SUNDAY if holiday else local.weekday()
        where = {
            "hour of day": hour,
            "hour of week": weekday * 24 + hour,
            "day of week": weekday + 0.5,
        }
        return [self._position(season, where[season.name], holiday) for season in self._seasons]

    def _position(self, season: Season, at: float, holiday: bool) -> Position:
        reach = season.reach
        first, last = int((at - 0.5 - reach) // 1) + 1, int((at - 0.5 + reach) // 1)
        weights = [(bin_ % season.bins, 1 - abs(bin_ + 0.5 - at) / reach) for bin_ in range(first, last + 1)]
        read = tuple((bin_, weight) for bin_, weight in weights if weight > 1e-9)
        return Position(read, None if holiday else int(at) % season.bins)
