"""Converts the cells of a table to values of a record."""

import math
import re
from typing import Any

from triage.schemas.event_time import is_absent

_GUARDED = re.compile(r'="(.*)"', re.DOTALL)
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{1,3}")
_STARS = re.compile(r"(\d{1,2}(?:[.,]\d{1,3})?) ?(?:/ ?5|out of 5|stars?|星|颗星|顆星)?", re.IGNORECASE)


def unguarded(cell: str) -> str:
    """Return 00123 for `="00123"`, by which exports keep Excel from reading text as a number; other cells unchanged."""
    if cell.startswith("=") and (match := _GUARDED.fullmatch(cell.strip())):
        return match[1].replace('""', '"')
    return cell


def is_rounded(text: str) -> bool:
    """True for a number like `1.2E+18`, the rounded form in which a spreadsheet saved a long number."""
    return _ROUNDED.fullmatch(text) is not None


def read_rating(value: Any) -> float | None:
    """Return the number in 4, "4", "4,5", "4/5" or "5 stars"; None for a missing value (N/A, NaN, "").

    Raises ValueError for any other value.
    """
    if value is None or (isinstance(value, str) and is_absent(value)):
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        match = _STARS.fullmatch(" ".join(str(value).split())[:40])
        if match is None:
            raise ValueError(f"rating {_short(value)} is not a number") from None
        number = float(match[1].replace(",", "."))
    if not math.isfinite(number):
        raise ValueError(f"rating {_short(value)} is not a number")
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
