"""Stored form of a key's baseline, and the counts of a key in one step."""

import zlib
from collections.abc import Mapping

import msgspec

from triage.alerting.rules.model import Rule


class StoredBaseline(msgspec.Struct):
    """A key's baseline after the step that starts at `at_ms`; `state` is None once the key is no longer tracked.

    `series` is the fingerprint of the rule's series. `volume` is the key's number of records, where each day halves the
    weight of the days before. `primed`: learned from history, and possibly ahead of the closed steps.
    """

    at_ms: int
    series: str
    volume: float = 0.0
    dimensions: dict[str, str] = {}
    state: bytes | None = None
    primed: bool = False


def pack_state(state: bytes) -> bytes:
    """Compress a key's detector state; for a key with few records it is mostly zeros."""
    return zlib.compress(state, 1)


def fingerprint_of(rule: Rule) -> str:
    """Checksum (8 hex digits) of what a rule counts; a stored baseline is only used if its checksum is the same."""
    return f"{zlib.crc32(msgspec.json.encode(rule.series)):08x}"


# One is made for each key, rule and step; it has nothing to collect.
class StepCount(msgspec.Struct, gc=False):
    """Negative records and all records of a key in one step, without those that arrived after it was evaluated."""

    dimensions: Mapping[str, str]
    negative: int
    total: int
