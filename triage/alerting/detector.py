"""Detectors: one step per closed window and key says whether it is surprising."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from triage.alerting.rules import StaticThreshold


@dataclass(frozen=True, slots=True)
class RuleWindow:
    """What a rule sees of a key: `negative` of `total` records in the `window_ms` up to `end_ms`.

    `step_start_ms` is the start of the step that closed last; windows of a rule slide by steps.
    """

    rule: str
    key: str
    dimensions: Mapping[str, str]
    step_start_ms: int
    end_ms: int
    window_ms: int
    negative: int
    total: int

    @property
    def share(self) -> float:
        """Negatives of all records, 0 when there are none."""
        return self.negative / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`expected` negatives and `score` (higher is more surprising) where the detector knows them."""

    firing: bool
    expected: float | None = None
    score: float = 0.0


class Detector(Protocol):
    """The judge of one key under one rule; it may learn, so every closed window is shown once and in order."""

    def step(self, window: RuleWindow) -> Verdict: ...


class StaticDetector:
    """Fires when both the share and the count of negatives reach their thresholds."""

    def __init__(self, threshold: StaticThreshold) -> None:
        self._threshold = threshold

    def step(self, window: RuleWindow) -> Verdict:
        threshold = self._threshold
        firing = window.negative >= threshold.count_at_least and window.share >= threshold.share_at_least
        return Verdict(firing, score=window.negative / threshold.count_at_least)
