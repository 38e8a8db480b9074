"""Messages of `feedback.window-counts`: what workers tell the alerter, inside their transactions."""

import msgspec


class WindowCount(msgspec.Struct, tag="count", kw_only=True):
    """Records of one raw partition's offset range that fall into one window and key.

    The alerter merges idempotently: it keeps the last offset seen per window, key and raw partition and drops a
    message that ends at or before it. `key` is `channel=complaint|intent=delivery`, empty for everything.
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


class Watermark(msgspec.Struct, tag="watermark", kw_only=True):
    """No record of this raw partition with an earlier event time is expected; sent to every partition of the topic.

    `offset` is the next offset to consume, `lag` the records behind it, `at_ms` the sender's clock.
    """

    topic: str
    partition: int
    watermark_ms: int
    offset: int
    lag: int
    at_ms: int


CountMessage = WindowCount | Watermark


def dimension_key(dimensions: dict[str, str]) -> str:
    """Canonical key of dimension values: `brand=Acme|intent=delivery`, by name; `\\`, `|` and `=` are escaped."""
    return "|".join(f"{name}={_escape(value)}" for name, value in sorted(dimensions.items()))


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("=", "\\=")
