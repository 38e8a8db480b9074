"""Verdicts raise or lower articles a little, so that the next search finds the useful ones first."""

import threading
from collections.abc import Callable, Mapping

from triage.clock import Clock
from triage.errors import TriageError
from triage.logging import get_logger

log = get_logger("triage.assist")

_REFRESH_S = 60.0
_WEIGHT = 0.05
# As many verdicts are taken for granted: one alone must not move an article far.
_PRIOR = 5.0


class Experience:
    """Adjustments of scores by article, from verdicts read at most once a minute. Thread-safe."""

    def __init__(self, read: Callable[[], Mapping[str, Mapping[str, int]]], clock: Clock) -> None:
        """`read` returns the number of verdicts by article and verdict, or raises a TriageError."""
        self._read, self._clock = read, clock
        self._lock = threading.Lock()
        self._adjustments: dict[str, float] = {}
        self._read_at: float | None = None

    def of(self, article: str) -> float:
        """The number that is added to the score of an article's passages, between -0.05 and 0.05."""
        self._refresh()
        return self._adjustments.get(article, 0.0)

    def _refresh(self) -> None:
        with self._lock:
            now = self._clock.monotonic()
            if self._read_at is not None and now - self._read_at < _REFRESH_S:
                return
            self._read_at = now
            try:
                verdicts = self._read()
            except TriageError as error:
                # Answers do not depend on it.
                log.warning("verdicts_unreadable", error=str(error))
                return
            self._adjustments = {article: adjustment(counts) for article, counts in verdicts.items()}


def adjustment(verdicts: Mapping[str, int]) -> float:
    """The adjustment for these numbers of verdicts."""
    useful = verdicts.get("used", 0) + verdicts.get("edited", 0)
    wrong = verdicts.get("wrong", 0)
    return _WEIGHT * (useful - wrong) / (useful + wrong + _PRIOR)
