"""What is stored of a key's baseline, and what is counted of it in a step."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from triage.alerting.rules.model import Rule


class Baseline(msgspec.Struct):
    """A key's stored state after the step that starts at `at_ms`; `state` None: the key is watched no more.

    `primed`: it was learnt from the past, and may be ahead of what was closed.
    """

    at_ms: int
    series: str
    volume: float = 0.0
    dimensions: dict[str, str] = {}
    state: bytes | None = None
    primed: bool = False


def pack_state(state: bytes) -> bytes:
    """A detector's snapshot as it is stored: much of a small key's is zeros."""
    return zlib.compress(state, 1)


def fingerprint_of(rule: Rule) -> str:
    """Names the rule's series in stored baselines."""
    return f"{zlib.crc32(msgspec.json.encode(rule.series)):08x}"


@dataclass(frozen=True, slots=True)
class StepCount:
    """A key's counts in one step, as far as they had come when it was judged."""

    dimensions: Mapping[str, str]
    negative: int
    total: int
