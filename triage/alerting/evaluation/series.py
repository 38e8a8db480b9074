"""Evaluation of one rule in one partition: all keys of a closed step at once. No I/O."""

# ruff: noqa: SLF001 - private parts of another instance of the same class

import zlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from triage.alerting.detection import SpikeDetector, Verdicts
from triage.alerting.evaluation.rolling import RollingCounts
from triage.alerting.evaluation.silence import SilenceWatch
from triage.alerting.evaluation.stored_baseline import StepCount, StoredBaseline, fingerprint_of, pack_state
from triage.alerting.evaluation.top_keys import TopKeys
from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import DAY_MS, rfc3339
from triage.logging import get_logger
from triage.schemas.alert import Chart

log = get_logger("triage.alerter")

CHART_STEPS = 36
# After a longer stretch without any record, baselines are out of date.
STALE_MS = 14 * DAY_MS


class RuleSeries:
    """Evaluates one rule for all its keys in one partition: rolling counts, static threshold and spike detector.

    At most `top_keys` keys are tracked individually; the others are counted together as one key.
    """

    def __init__(
        self, rule: Rule, rules: AlertRules, *, step_ms: int, top_keys: int, budget_share: float = 1.0
    ) -> None:
        self.rule = rule
        self.settings = rules.spike_settings(rule)
        self.fingerprint = fingerprint_of(rule)
        self._step_ms = step_ms
        self._budget_share = budget_share
        self._steps = max(1, rule.window_s * 1000 // step_ms)
        self._silence = None if rule.silence is None else SilenceWatch(rule.silence, step_ms, budget_share)
        kept = max(self._steps, CHART_STEPS, DAY_MS // step_ms if self._silence else 0)
        self._rolling = RollingCounts(kept, step_ms)
        self._detector = self._new_detector()
        self._verdicts: Verdicts | None = None
        # Rows of the keys of the verdicts, in their order.
        self._verdict_rows: NDArray[np.intp] = np.zeros(0, np.intp)
        self._static: set[str] = set()
        self._added: set[str] = set()
        self._removed: set[str] = set()
        self._top_keys = TopKeys(
            rule.dimension, self._rolling, step_ms=step_ms, top_keys=top_keys, on_drop=self._on_drop
        )

    def __len__(self) -> int:
        """Number of tracked keys."""
        return len(self._rolling.rows)

    @property
    def untracked(self) -> int:
        """Number of keys in the last step that were not tracked individually but counted together."""
        return self._top_keys.untracked

    @property
    def learning(self) -> int:
        """Number of keys that are still learning: their baseline is too young to fire."""
        return 0 if self._verdicts is None else int(self._verdicts.learning.sum())

    @property
    def too_few(self) -> int:
        """Number of keys past learning with too few records at the last step to fire, even if all were negative."""
        rows = self._rolling.row_numbers
        if not len(rows):
            return 0
        if self._silence is not None:
            if self._detector is None or self._verdicts is None:
                return 0
            return self._silence.unable(self._rolling, self._detector, self._verdicts)
        able = np.zeros(len(rows), np.bool_)
        if self.rule.static is not None:
            able |= self._records(rows, self._steps) >= self.rule.static.count_at_least
        if self.settings is not None and self._detector is not None:
            able |= self._records(rows, min(self._detector.widest, self._rolling.steps)) >= self.settings.min_count
        return int(np.count_nonzero(~able & ~self._learning()[rows]))

    def close(self, start_ms: int, counts: Mapping[str, StepCount]) -> list[str]:
        """Evaluate a closed step; `counts` are its counts by key. Returns the keys that fire, sorted."""
        last_ms = self._rolling.last_ms
        learned_ms = last_ms if self._detector is None else self._detector.last_start_ms
        if learned_ms is not None and start_ms - learned_ms > STALE_MS:
            self._reset()
        # Steps that were skipped had no record in any series; the detector takes them as empty.
        self._top_keys.begin(start_ms)
        self._top_keys.drop_idle()
        counts = self._counted(counts)
        tracked = self._top_keys.choose(counts)
        self._added.update(self._top_keys.add(tracked))
        self._step_detector(start_ms, tracked)
        self._static = self._static_firing()
        if self._silence is not None:
            if self._detector is None or self._verdicts is None:
                return []
            return sorted(self._silence.firing(self._rolling, self._detector, self._verdicts))
        return sorted({*self._static, *self._spike_firing()})

    def correct(self, start_ms: int, key: str, dimensions: Mapping[str, str], negative: int, total: int) -> bool:
        """Add `negative` of `total` records that came after their step was evaluated.

        False if the step is not kept any more.
        """
        if not self._rolling.keeps(start_ms):
            return False
        negative = negative if self._silence is None else total
        known = self._top_keys.admit_late(start_ms, key, dimensions, total)
        self._rolling.add(known, start_ms, negative, total, total)
        return True

    def dimensions(self, key: str) -> dict[str, str]:
        """Values of the rule's dimensions, by field, for a tracked key. Raises KeyError for other keys."""
        return self._rolling.dimensions[key]

    def window(self, key: str, dimensions: Mapping[str, str]) -> RuleWindow:
        """The key's counts in the rule's window that ends with the last closed step; zero for an untracked key."""
        start_ms = self._rolling.last_ms
        assert start_ms is not None
        row, columns = self._rolling.rows.get(key), self._rolling.columns(self._steps)
        arrays = (self._rolling.negative, self._rolling.total, self._rolling.late)
        negative, total, late = (0, 0, 0) if row is None else (int(array[row, columns].sum()) for array in arrays)
        window_ms = self._steps * self._step_ms
        return RuleWindow(
            self.rule.name, key, dimensions, start_ms, start_ms + self._step_ms, window_ms, negative, total, late
        )

    def verdict(self, key: str, *, still: bool = False, after_ms: int | None = None) -> Verdict:
        """Result of the rule for a key at the last closed step; a key that is not tracked does not fire.

        For silence rules: `still` says that the key was already silent, and steps up to `after_ms` are not counted.
        """
        row = self._rolling.rows.get(key)
        if row is None:
            return Verdict(firing=False)
        if self._silence is not None:
            return self._silent(key, row, still=still, after_ms=after_ms)
        causes = ["static"] if key in self._static else []
        verdicts, expected, score = self._verdicts, None, None
        if verdicts is not None and (column := verdicts.index.get(key)) is not None:
            score = round(float(verdicts.score[column]), 3)
            if verdicts.firing[column]:
                causes.append("spike")
            if not verdicts.learning[column]:
                expected = self._expected(row)
        return Verdict(bool(causes), expected, score, tuple(causes))

    def chart(self, key: str) -> Chart | None:
        """Observed and expected counts of a key in the last 36 steps; None if it is not tracked."""
        row, last_ms = self._rolling.rows.get(key), self._rolling.last_ms
        if row is None or last_ms is None:
            return None
        columns = self._rolling.columns(CHART_STEPS)
        means = self._rolling.expected[row, columns]
        expected = [None if np.isnan(mean) else round(float(mean), 3) for mean in means]
        observed = [int(count) for count in self._rolling.negative[row, columns]]
        return Chart(rfc3339(last_ms - (CHART_STEPS - 1) * self._step_ms), self._step_ms // 1000, observed, expected)

    # State

    def take_due(self, first_ms: int, last_ms: int, interval_ms: int) -> dict[str, StoredBaseline]:
        """Return the baselines to store after the steps from `first_ms` to `last_ms` were closed, by key.

        A baseline is due when its key was added or removed, and otherwise once every `interval_ms`, keys in turn. The
        baseline of a removed key has no state.
        """
        if self._detector is None:
            self._added, self._removed = set(), set()
            return {}
        every = max(1, interval_ms // self._step_ms)
        first, last = first_ms // self._step_ms, last_ms // self._step_ms
        rows, keys = self._rolling.row_numbers, self._rolling.keys
        due = rows[(self._rolling.turns[rows] - first) % every <= last - first].tolist()
        candidates = self._added & self._rolling.rows.keys() | {keys[row] for row in due}
        chosen = sorted(filter(self._detector.knows, candidates))
        states = self._detector.snapshots(chosen)
        found = {key: self._baseline(key, last_ms, state) for key, state in zip(chosen, states, strict=True)}
        found |= {
            key: StoredBaseline(last_ms, self.fingerprint) for key in self._removed if key not in self._rolling.rows
        }
        self._added, self._removed = set(), set()
        return found

    def restore(
        self, closed_ms: int, baselines: Mapping[str, StoredBaseline], steps: Mapping[int, Mapping[str, StepCount]]
    ) -> None:
        """Continue at the step that starts at `closed_ms`: from each baseline, with the steps closed after it.

        `steps` has the counts of the kept closed steps by start in ms and key.
        """
        usable = {key: b for key, b in baselines.items() if b.series == self.fingerprint and b.state is not None}
        first_ms = min([*(b.at_ms for b in usable.values()), *steps, closed_ms - self._step_ms])
        stepped: set[str] = set()
        for start_ms in range(first_ms, closed_ms, self._step_ms):
            self._top_keys.begin(start_ms)
            counts = self._counted(steps.get(start_ms, {}))
            if self._detector is None:
                counts = self._top_keys.choose(counts)
            else:
                counts = {key: counts[key] for key in counts if key in usable}
            self._top_keys.add(counts)
            if stepped:
                self._step_detector(start_ms, {key: count for key, count in counts.items() if key in stepped})
            if self._detector is not None:
                stepped |= self._restore_keys({key: b for key, b in usable.items() if b.at_ms == start_ms})
        if self._detector is not None:
            self._restore_keys({key: b for key, b in usable.items() if b.at_ms >= closed_ms})
        if self._silence is not None:
            # Which partitions had fallen behind then is not known any more.
            self._rolling.expected[:] = np.nan

    def prime(self, baselines: Mapping[str, StoredBaseline]) -> None:
        """Start with baselines learned from history. The steps that they include are not scored for spikes again."""
        usable = {key: b for key, b in baselines.items() if b.series == self.fingerprint and b.state is not None}
        if self._detector is not None and not self._detector.keys:
            self._added |= self._restore_keys(usable)

    def take_over(self, other: "RuleSeries") -> bool:
        """Continue with the counts and baselines of `other`, the same series with other thresholds.

        Returns false and changes nothing if only one of the two has a spike detector.
        """
        detector, before = self._detector, other._detector
        if (detector is None) != (before is None):
            return False
        for key, row in other._rolling.rows.items():
            mine = self._rolling.admit(key, other._rolling.dimensions[key])
            self._rolling.volume[mine] = other._rolling.volume[row]
        self._rolling.take_over(other._rolling)
        if detector is not None and before is not None:
            try:
                for key in before.keys:
                    detector.restore(key, before.snapshot(key))
            except ValueError as error:
                log.warning(
                    "baselines_not_usable", rule=self.rule.name, error=str(error), then="it learns from the start"
                )
                self._reset()
        self._added, self._removed = self._added | other._added, self._removed | other._removed
        return True

    def _baseline(self, key: str, at_ms: int, state: bytes) -> StoredBaseline:
        assert self._detector is not None
        volume = float(self._rolling.volume[self._rolling.rows[key]])
        learned_ms = self._detector.last_start_ms or at_ms
        dimensions, primed = self._rolling.dimensions[key], learned_ms > at_ms
        return StoredBaseline(learned_ms, self.fingerprint, volume, dimensions, pack_state(state), primed)

    def _restore_keys(self, baselines: Mapping[str, StoredBaseline]) -> set[str]:
        assert self._detector is not None
        restored = set()
        for key, baseline in baselines.items():
            row = self._rolling.admit(key, baseline.dimensions)
            self._rolling.volume[row] = baseline.volume
            try:
                self._detector.restore(key, zlib.decompress(baseline.state or b""))
                restored.add(key)
            except (ValueError, zlib.error) as error:
                log.warning(
                    "baseline_not_usable",
                    rule=self.rule.name,
                    key=key,
                    error=str(error),
                    then="it learns from the start",
                )
                self._rolling.drop(key)
        return restored

    # Evaluation

    def _new_detector(self) -> SpikeDetector | None:
        if self.settings is None:
            return None
        return SpikeDetector(self.settings, self._step_ms // 1000, self._budget_share)

    def _reset(self) -> None:
        self._top_keys.drop_all()
        self._detector, self._verdicts = self._new_detector(), None

    def _on_drop(self, key: str) -> None:
        self._removed.add(key)
        self._added.discard(key)
        if self._detector is not None:
            self._detector.forget(key)

    def _silent(self, key: str, row: int, *, still: bool, after_ms: int | None) -> Verdict:
        detector, watch = self._detector, self._silence
        if watch is None or detector is None or self._verdicts is None or key not in self._verdicts.index:
            return Verdict(firing=False)
        found = watch.look(self._rolling, detector, self._verdicts, key, after_ms)
        # A silence lasts until a record comes, also when the baseline has learned to expect none.
        silent = not self._rolling.total[row, self._rolling.columns(1)[0]]
        firing = found.firing or (still and silent)
        causes = ("silence",) if firing else ()
        return Verdict(firing, round(found.expected, 2), round(found.score, 3), causes)

    def _counted(self, counts: Mapping[str, StepCount]) -> Mapping[str, StepCount]:
        """The counts that the rule evaluates: a silence counts all records."""
        if self._silence is None:
            return counts
        return {key: StepCount(count.dimensions, count.total, count.total) for key, count in counts.items()}

    def _static_firing(self) -> set[str]:
        static = self.rule.static
        if static is None or not self._rolling.rows:
            return set()
        columns = self._rolling.columns(self._steps)
        negative = self._rolling.negative[:, columns].sum(axis=1)
        total = self._rolling.total[:, columns].sum(axis=1)
        share = negative / np.maximum(total, 1)
        firing = (negative >= static.count_at_least) & (share >= static.share_at_least)
        return {self._rolling.keys[row] for row in np.flatnonzero(firing).tolist()}

    def _spike_firing(self) -> list[str]:
        if self._detector is None or self._verdicts is None:
            return []
        return [self._detector.keys[column] for column in np.flatnonzero(self._verdicts.firing).tolist()]

    def _records(self, rows: NDArray[np.intp], steps: int) -> NDArray[np.int64]:
        """All records of these rows in the last steps."""
        total: NDArray[np.int64] = self._rolling.total[rows][:, self._rolling.columns(steps)].sum(axis=1)
        return total

    def _learning(self) -> NDArray[np.bool_]:
        """True for the rows whose keys learned at the last step."""
        learning = np.zeros(len(self._rolling.keys), np.bool_)
        if self._verdicts is not None:
            learning[self._verdict_rows] = self._verdicts.learning
        return learning

    def _step_detector(self, start_ms: int, counts: Mapping[str, StepCount]) -> None:
        if self._detector is None:
            return
        if self._detector.last_start_ms is not None and start_ms <= self._detector.last_start_ms:
            self._verdicts = None  # the primed baseline contains this step
            return
        keys = list(counts)
        negative = np.fromiter((count.negative for count in counts.values()), np.float64, len(keys))
        total = None
        if self._silence is None:
            total = np.fromiter((count.total for count in counts.values()), np.float64, len(keys))
        self._verdicts = self._detector.step(start_ms, keys, negative, total)
        if len(self._verdicts):
            rows = np.fromiter(map(self._rolling.rows.__getitem__, self._detector.keys), np.intp, len(self._verdicts))
            self._verdict_rows = rows
            expected = np.where(self._verdicts.learning, np.nan, self._verdicts.expected)
            if self._silence is not None:
                expected = self._silence.expected(self._detector, self._verdicts)
            self._rolling.note_expected(rows, expected)

    def _expected(self, row: int) -> float | None:
        """Expected negatives of the rule's window, extrapolated from the steps for which they are known."""
        means = self._rolling.expected[row, self._rolling.columns(self._steps)]
        known = means[~np.isnan(means)]
        return round(float(known.mean()) * self._steps, 2) if len(known) else None
