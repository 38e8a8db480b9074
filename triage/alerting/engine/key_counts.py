"""The metric of the number of keys per rule, summed over the partitions of the process. No I/O."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from triage.alerting.evaluation.series import RuleSeries
from triage.metrics import Metrics

_KINDS = ("watched", "learning", "others", "too_few")


class KeyCounts:
    """One partition's contribution to the gauge `alert_keys`, which sums all partitions of the process."""

    def __init__(self, metrics: Metrics) -> None:
        self._gauge = metrics.alert_keys
        self._reported: dict[tuple[str, str], int] = {}

    def report(self, series: Mapping[str, RuleSeries]) -> None:
        """Replace this partition's contribution by the numbers of keys at the last closed step; `series` is by rule."""
        for name, each in series.items():
            counts = (len(each), each.learning, each.untracked, each.too_few)
            for kind, count in zip(_KINDS, counts, strict=True):
                self._gauge.labels(name, kind).inc(count - self._reported.get((name, kind), 0))
                self._reported[name, kind] = count

    def keep_only(self, rules: Iterable[str]) -> None:
        """Remove the metrics of rules that no longer exist. Call it for every partition of the process."""
        for name, kind in set(self._reported) - {(name, kind) for name in rules for kind in _KINDS}:
            del self._reported[name, kind]
            with suppress(KeyError):  # another partition has removed it
                self._gauge.remove(name, kind)

    def discard(self) -> None:
        for (name, kind), count in self._reported.items():
            self._gauge.labels(name, kind).dec(count)
        self._reported.clear()
