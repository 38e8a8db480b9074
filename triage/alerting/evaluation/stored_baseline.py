"""The baseline of a key as it is stored, and the counts of a key in one step."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from triage.alerting.rules.model import Rule


class StoredBaseline(msgspec.Struct):
    """A key's baseline after the step that starts at `at_ms`; `state` is None once the key is not tracked any more.

    `series` is the fingerprint of the rule's series. `volume` is the key's number of records, halved each day. A
    `primed` one was learned from history, and may be ahead of the steps that are closed.
    """

    at_ms: int
    series: str
    volume: float = 0.0
    dimensions: dict[str, str] = {}
    state: bytes | None = None
    primed: bool = False


def pack_state(state: bytes) -> bytes:
    """Compress the state of a key that a detector returned: for a key with few records it is mostly zeros."""
    return zlib.compress(state, 1)


def fingerprint_of(rule: Rule) -> str:
    """Checksum of what a rule counts, as 8 hex digits: stored baselines with another one are not used for the rule."""
    return f"{zlib.crc32(msgspec.json.encode(rule.series)):08x}"


@dataclass(frozen=True, slots=True)
class StepCount:
    """Negative and all records of a key in one step, without those that came after the step was evaluated."""

    dimensions: Mapping[str, str]
    negative: int
    total: int
