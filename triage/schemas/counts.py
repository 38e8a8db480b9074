"""Messages of `feedback.window-counts`, which workers send to the alerter within their transactions."""

import re
from collections.abc import Iterator, Mapping

import msgspec

# Fields of an enriched record by which records can be counted.
COUNTED_FIELDS = ("channel", "intent", "language", "severity", "queue", "source", "brand", "product", "region")
# Value of all keys beyond those that are evaluated individually.
OTHER = "__other__"


class WindowCount(msgspec.Struct, kw_only=True, gc=False):
    """Number of records in one offset range of a raw partition that belong to one time window and one key.

    `key` is e.g. `channel=complaint|intent=delivery`, and empty for all records; `dimensions` has the same values by
    field. The alerter adds up the counts of a window and key. So that none is added twice, it keeps the last offset per
    window, key and raw partition, and drops a count whose range ends at or before it.
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


# Thousands are alive at once, and none refers to another: the garbage collector may skip them.
class KeyCount(msgspec.Struct, gc=False):
    """Number of records, negative and in total, of one time window and one key, as fields of `WindowCounts`."""

    window_start_ms: int
    key: str
    dimensions: dict[str, str]
    negative: int
    total: int


class WindowCounts(msgspec.Struct, tag="counts", kw_only=True):
    """A message with counts of one offset range of a raw partition, for the keys of one partition of `window-counts`.

    Keys with the same `group_of` share a partition of `window-counts`, because their alerts affect each other.
    """

    window_ms: int
    topic: str
    partition: int
    first_offset: int
    last_offset: int
    counts: list[KeyCount]

    def each(self) -> Iterator[WindowCount]:
        """Yield each count as a WindowCount, including the fields that are common to the message."""
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
    """A message that no more records of a raw partition are expected with an event time before `watermark_ms`.

    It is sent to every partition of `window-counts`. `offset` is the next offset to consume, `lag` the number of
    records from there on, `at_ms` the time by the sender's clock.
    """

    topic: str
    partition: int
    watermark_ms: int
    offset: int
    lag: int
    at_ms: int


CountMessage = WindowCounts | Watermark


def group_of(dimensions: Mapping[str, str], field: str) -> str:
    """Return the value of `field`, by which alerts are grouped; empty if the dimensions do not include it."""
    return dimensions.get(field, "")


def dimension_key(dimensions: dict[str, str]) -> str:
    """Return the key of dimension values, sorted by name: `brand=Acme|intent=delivery`; escapes `\\`, `|` and `=`."""
    return "|".join(f"{name}={_escape(value)}" for name, value in sorted(dimensions.items()))


def parse_key(key: str) -> dict[str, str] | None:
    """Parse a key that `dimension_key` made into dimension values by name; None for an invalid key."""
    found: dict[str, str] = {}
    for part in re.findall(r"(?:[^\\|]|\\.)+|(?<=\|)(?=\|)", key):
        name, separator, value = part.partition("=")
        if not separator or not name or name in found:
            return None
        found[name] = re.sub(r"\\(.)", r"\1", value)
    return found if dimension_key(found) == key else None


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("=", "\\=")
