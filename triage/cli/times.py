"""Parses times on the command line: RFC 3339, or a duration before now."""

import re
from datetime import UTC, datetime

from triage.clock import YEAR_10000_MS, to_ms
from triage.errors import ConfigError

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
HELP = "RFC 3339 (2026-11-22T09:30:00Z; UTC by default), or 90s, 30m, 12h, 3d ago"


def moment_ms(text: str | None, now_ms: int, flag: str) -> int | None:
    """Parse a time (`2026-11-22T09:30Z`), a duration before now (`3d`) or `now` to milliseconds since the epoch.

    Returns None if `text` is None. Raises ConfigError, naming the option `flag`, for other text.
    """
    if text is None:
        return None
    if match := re.fullmatch(r"(\d{1,9})([smhd])", text.strip()):
        return max(0, now_ms - int(match[1]) * _UNITS_MS[match[2]])
    if text.strip() == "now":
        return now_ms
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError(f"{flag} takes {HELP}, not {text!r}") from None
    ms = to_ms(moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment)
    if not 0 <= ms < YEAR_10000_MS:
        raise ConfigError(f"{flag} takes a time between 1970 and 9999, not {text!r}")
    return ms
