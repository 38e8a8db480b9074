"""Computes versions of documents: of several records of one id, the index keeps the one with the highest version.

Without a version of its own a record has the broker's timestamp, in milliseconds. A version that the source names ranks
above all of these, so that old documents, numbers and times compare in one way: a record that names its version
replaces a document without one, and never the other way round.
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
    """The document version of a raw record's `version`; None if it has none.

    It is `NAMED_FROM` plus a thousand times the number; a time (in UTC unless it has an offset) counts as its
    milliseconds since the epoch. Smaller fractions are cut. Raises InvalidRecord for any other value.
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
    """Return True for a document version that the source named, False for one that is the broker's timestamp."""
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
