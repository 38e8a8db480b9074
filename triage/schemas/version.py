"""Computes versions of documents: the index keeps the record with the highest version for each id.

A record without its own version gets the broker's timestamp in milliseconds, and of two with the same timestamp the one
with the higher offset is newer. A version given by the source is higher than all timestamps: a record with a version
replaces a document without one, never the reverse.

Versions are signed 64-bit integers in Elasticsearch, in three ranges:

- below 2^61: the timestamp alone, in indices that were created by earlier versions of triage,
- from 2^61: the timestamp, and 19 bits of the offset,
- from 2^62: given by the source.

See docs/decisions/0017-the-newest-version-of-a-record.md.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from triage.errors import InvalidRecord

NAMED_FROM = 2**62
"""The lowest version that a source can name."""

_TIMED_FROM = 2**61
_OFFSETS = 2**19
_LAST_MS = (NAMED_FROM - _TIMED_FROM) // _OFFSETS - 1
# More records than a partition takes within a millisecond.
_NEAR = 2**12

_SCALE = 1_000
_MOST = (NAMED_FROM - 1) // _SCALE
_NUMBER = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def named_version(value: Any) -> int | None:
    """Return the document version for `value`, a raw record's field `version`; None if the record has none.

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


def timed_version(broker_ms: int, offset: int) -> int:
    """Compute the version of a record without a named one, from the broker's timestamp in ms and the record's offset.

    Of records of one partition with the same timestamp, the later one has the higher version, unless the bits of the
    offset wrapped to 0 between them: `after_wrap` handles that.
    """
    # Kafka gives -1 for a missing timestamp.
    return _TIMED_FROM + min(max(broker_ms, 0), _LAST_MS) * _OFFSETS + offset % _OFFSETS


def after_wrap(version: int, stored: int) -> int | None:
    """Return the version with which a record replaces a document of the same millisecond after its offset bits wrapped.

    The index has refused the record's `version` because of the document's version, `stored`. None if the document is
    newer. The result is below the version of every later record of the partition.
    """
    if not (version < stored < NAMED_FROM and may_follow_wrap(version)):
        return None
    more_ms, bits = stored // _OFFSETS - version // _OFFSETS, stored % _OFFSETS
    before = more_ms == 0 and bits >= _OFFSETS - _NEAR
    # A document that was itself written with this result: a real one of the next millisecond has a higher offset.
    between = more_ms == 1 and bits < version % _OFFSETS
    return version + _OFFSETS if before or between else None


def may_follow_wrap(version: int) -> bool:
    """True if the offset bits in a version are so low that they may have just wrapped to 0."""
    return _TIMED_FROM <= version < NAMED_FROM and version % _OFFSETS < _NEAR


def with_offset(version: int) -> int:
    """Convert a stored version to the form that includes an offset; a timestamp alone sorts before all offsets."""
    return version if version >= _TIMED_FROM else timed_version(version, 0)


def without_offset(version: int) -> int:
    """Convert a version to the form of older indices, the timestamp alone; a named version is unchanged."""
    return written_ms(version) if _TIMED_FROM <= version < NAMED_FROM else version


def written_ms(version: int) -> int:
    """Extract the broker's timestamp, in ms, from a stored version, which must not be a named one."""
    return (version - _TIMED_FROM) // _OFFSETS if version >= _TIMED_FROM else version


def last_version(at_ms: int, stored: int) -> int:
    """Return the highest version of records with a broker time up to `at_ms`, or `stored` if that is higher.

    It has the same form as `stored`: with or without an offset.
    """
    return max(stored, timed_version(at_ms, _OFFSETS - 1) if stored >= _TIMED_FROM else at_ms)


def is_named(version: int) -> bool:
    """True for a document version given by the source, False for one computed from the broker's timestamp."""
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
