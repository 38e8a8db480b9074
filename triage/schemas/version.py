"""Computes versions of documents: the index keeps the record with the highest version for each id.

A record without its own version gets the broker's timestamp, in milliseconds. A version given by the source is higher
than all timestamps: a record with a version replaces a document without one, never the reverse.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from triage.errors import InvalidRecord

NAMED_FROM = 2**62
"""The lowest version that a source can name; versions are a signed 64-bit integer in Elasticsearch."""

_SCALE = 1_000
_MOST = (NAMED_FROM - 1) // _SCALE
_NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def named_version(value: Any) -> int | None:
    """The document version for a raw record's `version`; None if the record has none.

    It is `NAMED_FROM` plus 1000 times the number; a time (in UTC unless it has an offset) counts as its milliseconds
    since the epoch. Fractions below a thousandth are cut. Raises InvalidRecord for any other value.
    """
    if value is None or value == "":
        return None
    thousandths = _thousandths(value)
    if thousandths is None or not 0 <= thousandths <= _MOST * _SCALE:
        raise InvalidRecord(
            "bad_version",
            f"version {_short(value)} is neither a number from 0 to {_MOST} nor a time since 1970; send the revision's "
            "number, or the time of the change as RFC 3339 (2026-11-22T09:30:00Z), or leave it out; "
            "the version of a product or app needs another name",
            field="version",
        )
    return NAMED_FROM + thousandths


def is_named(version: int) -> bool:
    """True for a document version given by the source, False for one that is the broker's timestamp."""
    return version >= NAMED_FROM


def _thousandths(value: Any) -> int | None:
    if isinstance(value, str):
        return _of_text(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return math.floor(Decimal(repr(value)) * _SCALE)


def _of_text(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        whole, _, fraction = text.partition(".")
        return int(whole) * _SCALE + int(fraction[:3].ljust(3, "0"))
    try:
        moment = datetime.fromisoformat(text)
        return ((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment) - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "..."
