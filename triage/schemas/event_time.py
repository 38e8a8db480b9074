"""Parses event times: RFC 3339, epoch milliseconds, and other unambiguous forms.

An ambiguous value, such as 03/04/2026, is refused; the message names the command-line option that resolves it.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from triage.clock import HOUR_MS, YEAR_10000_MS, rfc3339, to_ms
from triage.errors import InvalidRecord
from triage.schemas.date_forms import Ambiguous, parse_date_form

YEAR_2000_MS = 946_684_800_000
"""Earlier numbers are refused: epoch seconds taken for milliseconds are in January 1970."""
YEAR_2100_MS = 4_102_444_800_000
_FINER_UNITS = (1_000, 1_000_000)
"""Microseconds and nanoseconds per millisecond: as of 2000 to 2100 they have no other reading."""

EPOCH_S, EPOCH_MS = "epoch_s", "epoch_ms"

_MAX_CHARS = 100
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_NUMBER = re.compile(r"[+-]?\d{1,20}(?:\.\d{0,12})?")
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_ABSENT = frozenset(
    (
        "",
        "-",
        "--",
        "—",
        "null",
        "(null)",
        "n/a",
        "na",
        "#n/a",
        "none",
        "nil",
        "nan",
        "nat",
        "\\n",
        "undefined",
        "无",
        "無",
    )
)
_ZERO_DATE = re.compile(r"0000-00-00(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")


def is_absent(text: str) -> bool:
    """True for a text that exports use for a missing value: NULL, N/A, None, a dash, white space."""
    return text.strip().lower() in _ABSENT


def event_time_ms(created_at: Any, zone: tzinfo = UTC) -> int | None:  # noqa: PLR0911 - the usual forms return early
    """Parse `created_at` to epoch milliseconds; None if it is missing. A time without an offset is in `zone`.

    A number is in milliseconds since the epoch, or in microseconds or nanoseconds if its size allows no other
    interpretation. Raises InvalidRecord for a value that is not a time, for an ambiguous one (03/04/2026), and for a
    number that means a time before the year 2000, such as seconds.
    """
    if type(created_at) is int and YEAR_2000_MS <= created_at < YEAR_10000_MS:
        return created_at
    if isinstance(created_at, str):
        if not created_at:
            return None
        try:
            moment = datetime.fromisoformat(created_at)
        except ValueError:
            return _other_form_ms(created_at, zone)
        # Fast path: nearly always RFC 3339.
        if moment.tzinfo is not None and 0 <= (ms := to_ms(moment)) < YEAR_10000_MS:
            return ms
        if created_at.isdecimal() and len(created_at) != 8:
            # ISO 8601 also has ordinal dates and weeks of digits alone.
            return _other_form_ms(created_at, zone)
        return _in_range(created_at, moment, zone)
    if created_at is None:
        return None
    if isinstance(created_at, bool) or not isinstance(created_at, (int, float)):
        raise _bad_time(created_at)
    return _number_ms(created_at, created_at)


@dataclass(frozen=True, slots=True)
class TimeForm:
    """The format in which a source writes its times.

    `zone` applies to times without an offset (None: UTC). Each of `formats` is a strptime format, `epoch_s` or
    `epoch_ms`; they are tried in order. Without formats, those that the function `event_time_ms` accepts are used.
    """

    zone: tzinfo | None = None
    formats: tuple[str, ...] = ()

    def event_time_ms(self, created_at: Any) -> int | None:
        """Parse `created_at` in one of `formats` to ms since the epoch; None if it is missing.

        Raises InvalidRecord if none of the formats fits, or if the time is out of range.
        """
        zone = self.zone or UTC
        if not self.formats or created_at is None:
            return event_time_ms(created_at, zone)
        text = _clean(created_at) if isinstance(created_at, str) else created_at
        if isinstance(text, str) and (is_absent(text) or _ZERO_DATE.fullmatch(text)):
            return None
        for each in self.formats:
            if each in {EPOCH_S, EPOCH_MS}:
                if (number := _as_number(text)) is not None:
                    return _number_ms(number * 1000 if each == EPOCH_S else number, created_at, scaled=True)
            elif isinstance(text, str) and (moment := _strptime(text, each)) is not None:
                return _in_range(created_at, moment, zone)
        raise InvalidRecord(
            "bad_created_at",
            f"created_at {_short(created_at)} is not in the form {' or '.join(self.formats)} that --time-format names",
            field="created_at",
        )


def check_time_format(name: str) -> None:
    """Check that `name` is `epoch_s`, `epoch_ms` or a strptime format that includes a date.

    Raises ValueError if not.
    """
    if name in {EPOCH_S, EPOCH_MS}:
        return
    sample = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    try:
        read = datetime.strptime(sample.strftime(name), name)  # noqa: DTZ007 - compared by its date alone
    except (ValueError, re.error) as error:
        raise ValueError(f"{name!r} is not a format of strptime ({error})") from None
    if read.date() != sample.date():
        raise ValueError(f"{name!r} holds no whole date (year, month and day), e.g. %d/%m/%Y %H:%M")


def not_in_future(event_ms: int, now_ms: int, max_hours: float) -> int:
    """Return the event time unchanged. Raises InvalidRecord if it is more than `max_hours` after `now_ms`."""
    if event_ms > now_ms + max_hours * HOUR_MS:
        raise InvalidRecord(
            "created_at_in_future",
            f"created_at {rfc3339(event_ms)} is more than {max_hours:g} h ahead of the clock "
            f"({rfc3339(now_ms)}); check the source's clock and its unit (epoch milliseconds)",
            field="created_at",
        )
    return event_ms


def _other_form_ms(given: str, zone: tzinfo) -> int | None:
    if len(given) > _MAX_CHARS:
        raise _bad_time(given)
    text = _clean(given)
    if is_absent(text) or _ZERO_DATE.fullmatch(text):
        return None
    if not text.isdecimal() and text != given:
        try:
            return _in_range(given, datetime.fromisoformat(text), zone)
        except ValueError:
            pass
    if text.isdecimal() and len(text) in _COMPACT:
        # 202611251403 is 14:03 on a day, as milliseconds it would be in 1976.
        moment = _strptime(text, _COMPACT[len(text)])
        if moment is not None and 1970 <= moment.year < 2200:
            return _in_range(given, moment, zone)
    if (number := _as_number(text)) is not None:
        return _number_ms(number, given)
    try:
        return _in_range(given, parse_date_form(text, zone), zone)
    except Ambiguous as error:
        raise InvalidRecord("bad_created_at", f"created_at {_short(given)} {error}", field="created_at") from None
    except (ValueError, OverflowError):
        raise _bad_time(given) from None


def _number_ms(ms: float, given: Any, *, scaled: bool = False) -> int:
    # Compared without conversion: an integer may be too large for a float. NaN fails the comparison.
    if YEAR_2000_MS <= ms < YEAR_10000_MS:
        return int(ms)
    if not scaled:
        for per_ms in _FINER_UNITS:
            if YEAR_2000_MS * per_ms <= ms < YEAR_2100_MS * per_ms:
                return int(ms // per_ms)
    raise _bad_number(ms, given, scaled=scaled)


def _bad_number(ms: float, given: Any, *, scaled: bool) -> InvalidRecord:
    shown = f"created_at {_short(given)}"
    hint = ""
    if not scaled and YEAR_2000_MS <= ms * 1000 < YEAR_2100_MS:
        hint = " looks like epoch seconds; multiply by 1000 or use --time-format epoch_s"
    problem = hint or (
        " is before the year 2000 as epoch milliseconds; send epoch milliseconds or RFC 3339 (2026-11-22T09:30:00Z)"
        if ms < YEAR_2000_MS
        else " is not a time between 1970 and 9999 as epoch milliseconds"
    )
    return InvalidRecord("bad_created_at", shown + problem, field="created_at")


def _in_range(given: Any, moment: datetime, zone: tzinfo) -> int:
    try:
        ms = to_ms(moment if moment.tzinfo is not None else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise _bad_time(given) from None
    if not 0 <= ms < YEAR_10000_MS:
        raise _bad_time(given)
    return ms


def _clean(text: str) -> str:
    """Return the text with composed characters (NFKC), without invisible characters, and with single spaces."""
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text[: _MAX_CHARS + 1])).split())


def _as_number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return None


def _strptime(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - the caller sets the zone
    except (ValueError, OverflowError):
        return None


def _bad_time(value: Any) -> InvalidRecord:
    return InvalidRecord(
        "bad_created_at",
        f"created_at {_short(value)} is not a time between 1970 and 9999; "
        "send RFC 3339 (2026-11-22T09:30:00Z) or epoch milliseconds, or name the form: --time-format",
        field="created_at",
    )


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
