"""Messages of `feedback.window-counts`, which workers send to the alerter within their transactions."""

import re
from collections.abc import Iterator, Mapping

import msgspec

# Fields of an enriched record by which records can be counted.
COUNTED_FIELDS = ("channel", "intent", "language", "severity", "queue", "source", "brand", "product", "region")
# Value of all keys beyond those that are evaluated individually.
OTHER = "__other__"


class WindowCount(msgspec.Struct, kw_only=True):
    """Number of records in one raw partition's offset range that belong to one window and key.

    The alerter merges idempotently: it keeps the last offset per window, key and raw partition, and drops a count that
    ends at or before it. `key` is e.g. `channel=complaint|intent=delivery`, and empty for all records.
    """

    window_start_ms: int
    window_ms: int
    key: str
    dimensions: dict[str, str]
    negative: int
    total: int
    topic: str
    partition: int
    first_offset: int
    last_offset: int


class KeyCount(msgspec.Struct):
    """Number of records of one window and key."""

    window_start_ms: int
    key: str
    dimensions: dict[str, str]
    negative: int
    total: int


class WindowCounts(msgspec.Struct, tag="counts", kw_only=True):
    """Counts of one raw partition's offset range, for the windows and keys of one partition of `window-counts`.

    Counts of one group (`group_of`) share a partition, because their alerts affect each other.
    """

    window_ms: int
    topic: str
    partition: int
    first_offset: int
    last_offset: int
    counts: list[KeyCount]

    def each(self) -> Iterator[WindowCount]:
        """Yield the counts with all fields."""
        for one in self.counts:
            yield WindowCount(
                window_start_ms=one.window_start_ms,
                window_ms=self.window_ms,
                key=one.key,
                dimensions=one.dimensions,
                negative=one.negative,
                total=one.total,
                topic=self.topic,
                partition=self.partition,
                first_offset=self.first_offset,
                last_offset=self.last_offset,
            )


class Watermark(msgspec.Struct, tag="watermark", kw_only=True):
    """No record of this raw partition with an earlier event time is expected; sent to every partition of the topic.

    `offset` is the next offset to consume, `lag` the number of records from there on, `at_ms` the sender's clock.
    """

    topic: str
    partition: int
    watermark_ms: int
    offset: int
    lag: int
    at_ms: int


CountMessage = WindowCounts | Watermark


def group_of(dimensions: Mapping[str, str], field: str) -> str:
    """Value of the field by which alerts are grouped; empty for counts without it."""
    return dimensions.get(field, "")


def dimension_key(dimensions: dict[str, str]) -> str:
    """Canonical key of dimension values, sorted by name: `brand=Acme|intent=delivery`; escapes `\\`, `|` and `=`."""
    return "|".join(f"{name}={_escape(value)}" for name, value in sorted(dimensions.items()))


def parse_key(key: str) -> dict[str, str] | None:
    """Parse a key of `dimension_key`; None for an invalid key."""
    found: dict[str, str] = {}
    for part in re.findall(r"(?:[^\\|]|\\.)+|(?<=\|)(?=\|)", key):
        name, separator, value = part.partition("=")
        if not separator or not name or name in found:
            return None
        found[name] = re.sub(r"\\(.)", r"\1", value)
    return found if dimension_key(found) == key else None


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("=", "\\=")
