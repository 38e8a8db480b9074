"""Schedules the sample feed: raw payloads from topics/feed, spread over simulated days in a realistic daily rhythm."""

import json
import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from triage.clock import HOUR_MS, rfc3339, to_ms
from triage.errors import ConfigError
from triage.packed import read_unpacked
from triage.paths import resource
from triage.schemas.enriched import record_key
from triage.types import Channel

# Relative traffic by local hour, 0 to 23: low at night, high in the late morning and in the evening. Reviews peak after
# working hours, social posts latest.
RHYTHM: dict[Channel, tuple[float, ...]] = {
    Channel.COMPLAINT: (2, 1, 1, 1, 1, 2, 4, 7, 10, 13, 15, 14, 10, 10, 11, 11, 10, 9, 9, 10, 10, 8, 5, 3),
    Channel.REVIEW: (3, 2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 8, 7, 7, 7, 8, 10, 13, 15, 14, 9, 5),
    Channel.SOCIAL: (5, 3, 2, 1, 1, 1, 3, 6, 8, 9, 10, 11, 12, 10, 8, 8, 8, 9, 11, 13, 14, 15, 12, 8),
}
_SURGE_PREFIX = "surge-"
_SURGE_BEFORE_END_MS = 12 * HOUR_MS
_SURGE_MS = 3 * HOUR_MS


class FeedItem(NamedTuple):
    """One message to send: payload, key and channel.

    `at_ms` is its simulated time in ms after the start of the replay; `key` is None for a record without an id.
    """

    at_ms: int
    channel: Channel
    payload: bytes
    key: bytes | None = None


@dataclass(frozen=True)
class FeedLine:
    """One line of the feed, with its bytes in `raw`.

    `fields` are the fields of its JSON object without the channel; None if the line is not a JSON object.
    """

    channel: Channel
    raw: bytes
    fields: dict[str, Any] | None = None

    @property
    def in_surge(self) -> bool:
        return self.fields is not None and str(self.fields.get("id", "")).startswith(_SURGE_PREFIX)

    @property
    def key(self) -> bytes | None:
        """Kafka key of the message, made from source and id as every producer does; None for a record without an id."""
        fields = self.fields or {}
        source, source_id = fields.get("source"), fields.get("id")
        if not isinstance(source_id, str) or not isinstance(source, str | None):
            return None
        return record_key(self.channel, source, source_id or None)

    def payload(self, at_ms: int) -> bytes:
        """The bytes to send; a record without `created_at` gets `at_ms` (milliseconds since the epoch)."""
        if self.fields is None:
            return self.raw
        dated = {"created_at": rfc3339(at_ms)} | self.fields
        return json.dumps(dated, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Feed:
    """The lines of the sample feed in file order; a few are invalid on purpose, to produce dead letters."""

    lines: tuple[FeedLine, ...]

    def surge(self, days: float = 3) -> tuple[int, int]:
        """Return start and end of the surge of delivery complaints, in ms after the start of a feed of `days` days."""
        total_ms = round(days * 24 * HOUR_MS)
        before_end = min(_SURGE_BEFORE_END_MS, total_ms // 2)
        start = total_ms - before_end
        return start, start + min(_SURGE_MS, before_end // 4)

    def schedule(self, origin: datetime, days: float = 3, seed: int = 7) -> Iterator[FeedItem]:
        """Yield every line once, in time order, over `days` from `origin`, whose time zone determines the daily rhythm.

        Lines of the surge are placed in its hours, all others follow `RHYTHM`. The same arguments give the same items.
        Raises ConfigError for an `origin` without a time zone or `days` out of range.
        """
        if origin.tzinfo is None:
            raise ConfigError("origin needs a time zone")
        if not 0 < days <= 366:
            raise ConfigError(f"days is {days}; it must be above 0 and at most 366")
        draw = random.Random(seed)  # noqa: S311 - a repeatable schedule, nothing secret
        total_ms = round(days * 24 * HOUR_MS)
        surge_start, surge_end = self.surge(days)
        rhythms = {channel: _Rhythm(origin, total_ms, weights) for channel, weights in RHYTHM.items()}
        timed = []
        for index, line in enumerate(self.lines):
            if line.in_surge:
                at_ms = int(draw.triangular(surge_start, surge_end, surge_start + (surge_end - surge_start) / 3))
            else:
                at_ms = rhythms[line.channel].at(draw.random())
            timed.append((at_ms, index))
        origin_ms = to_ms(origin)
        for at_ms, index in sorted(timed):
            line = self.lines[index]
            yield FeedItem(at_ms, line.channel, line.payload(origin_ms + at_ms), line.key)


class _Rhythm:
    """Maps quantiles [0, 1) to offsets [0, total_ms), so that uniform quantiles follow the daily traffic `weights`."""

    def __init__(self, origin: datetime, total_ms: int, weights: tuple[float, ...]) -> None:
        into_hour = (origin.minute * 60 + origin.second) * 1000
        edges = [0, *range(HOUR_MS - into_hour, total_ms, HOUR_MS), total_ms]
        shares = [
            weights[(origin.hour + number) % 24] * (end - start) for number, (start, end) in enumerate(pairwise(edges))
        ]
        self._edges: list[int] = edges
        self._sums: list[float] = list(accumulate(shares))

    def at(self, quantile: float) -> int:
        target = quantile * self._sums[-1]
        hour = bisect_left(self._sums, target)
        before = self._sums[hour - 1] if hour else 0
        start, end = self._edges[hour], self._edges[hour + 1]
        fraction = (target - before) / (self._sums[hour] - before)
        return min(end - 1, start + int((end - start) * fraction))


def load_feed(path: Path | None = None) -> Feed:
    """Read a feed (default topics/feed/feed.jsonl.bz2): one raw payload per line, with an additional field `channel`.

    A line without a channel is a complaint. Raises ConfigError if the file is missing or damaged.
    """
    path = path or resource("topics/feed/feed.jsonl.bz2")
    try:
        content = read_unpacked(path)
    except OSError as error:
        raise ConfigError(f"{path}: not readable: {error}") from error
    return Feed(tuple(_parse(line) for line in content.split(b"\n") if line))


def _parse(raw: bytes) -> FeedLine:
    try:
        fields = json.loads(raw)
    except ValueError:
        return FeedLine(Channel.COMPLAINT, raw)
    if not isinstance(fields, dict):
        return FeedLine(Channel.COMPLAINT, raw)
    return FeedLine(Channel(fields.pop("channel", Channel.COMPLAINT)), raw, fields)
