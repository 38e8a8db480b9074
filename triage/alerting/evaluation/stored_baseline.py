"""Stored baseline of a key, and its counts in one step."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from triage.alerting.rules.model import Rule


class StoredBaseline(msgspec.Struct):
    """A key's baseline after the step that starts at `at_ms`; `state` is None once the key is not tracked any more.

    `series` is the fingerprint of the rule's series. A `primed` one was learned from history, and may be ahead of the
    steps that are closed.
    """

    at_ms: int
    series: str
    volume: float = 0.0
    dimensions: dict[str, str] = {}
    state: bytes | None = None
    primed: bool = False


def pack_state(state: bytes) -> bytes:
    """Compress a detector's snapshot: that of a key with few records is mostly zeros."""
    return zlib.compress(state, 1)


def fingerprint_of(rule: Rule) -> str:
    """Identifies the rule's series in stored baselines."""
    return f"{zlib.crc32(msgspec.json.encode(rule.series)):08x}"


@dataclass(frozen=True, slots=True)
class StepCount:
    """A key's counts in one step, of the records that had come when it was evaluated."""

    dimensions: Mapping[str, str]
    negative: int
    total: int
