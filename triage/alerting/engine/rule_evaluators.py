"""Evaluates all rules of one partition on closed steps, by adding up the counts of each series. No I/O."""

from collections.abc import Iterable, Mapping

from triage.alerting.engine.windows import WindowSum
from triage.alerting.evaluation.series import RuleSeries
from triage.alerting.evaluation.stored_baseline import StepCount, StoredBaseline
from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.alerting.rules.model import AlertRules
from triage.config import AlertingSettings
from triage.schemas.alert import Chart
from triage.schemas.counts import dimension_key

_MAX_ROUTES = 200_000
_ROUTES_MS = 3_600_000

Route = tuple[str, str, dict[str, str]]


class RuleEvaluators:
    """Evaluates all rules on the counts of one partition. Each rule has one series of counts per key.

    `partitions` is the number of partitions over which the keys are spread.
    """

    def __init__(self, rules: AlertRules, settings: AlertingSettings, partitions: int = 1) -> None:
        self._settings = settings
        self._partitions = partitions
        self._step_ms = settings.window_s * 1000
        self.series = {rule.name: self._new(rules, rule.name) for rule in rules.rules}
        self._rules = rules
        # Those that were asked for lately, and those of the hour before.
        self._routes: dict[str, tuple[Route, ...]] = {}
        self._routes_before: dict[str, tuple[Route, ...]] = {}
        self._routes_since_ms = 0

    def routes(self, key: str, dimensions: Mapping[str, str]) -> tuple[Route, ...]:
        """Return the series to which counts of `key` belong, each as (rule name, series key, dimension values).

        `dimensions` are the values that `key` stands for.
        """
        found = self._routes.get(key)
        if found is None:
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            found = self._routes_before.get(key)
            if found is None:
                found = tuple(
                    (rule.name, dimension_key(values), values)
                    for rule in self._rules.rules
                    if rule.matches(dimensions)
                    for values in (rule.series_of(dimensions),)
                )
            self._routes[key] = found
        return found

    def close(self, start_ms: int, sums: Mapping[str, WindowSum]) -> list[tuple[str, str]]:
        """Evaluate a closed step; `sums` are its counts by key. Returns the series that fire, as (rule, key)."""
        if start_ms - self._routes_since_ms >= _ROUTES_MS:
            # Some keys do not occur again: without this their routes would add up to the limit.
            self._routes_before, self._routes = self._routes, {}
            self._routes_since_ms = start_ms
        rolled_up = self._roll_up(sums)
        return [
            (name, key)
            for name, series in self.series.items()
            for key in series.close(start_ms, rolled_up.get(name, {}))
        ]

    def correct(self, start_ms: int, key: str, dimensions: Mapping[str, str], negative: int, total: int) -> bool:
        """Add `negative` of `total` records that arrived after their step was evaluated.

        False if no rule keeps that step any more.
        """
        taken = [
            self.series[name].correct(start_ms, series_key, values, negative, total)
            for name, series_key, values in self.routes(key, dimensions)
        ]
        return any(taken)

    def window(self, rule: str, key: str, dimensions: Mapping[str, str]) -> RuleWindow:
        return self.series[rule].window(key, dimensions)

    def verdict(self, rule: str, key: str, *, still: bool = False, after_ms: int | None = None) -> Verdict:
        return self.series[rule].verdict(key, still=still, after_ms=after_ms)

    @property
    def watches_silence(self) -> bool:
        """True if a rule fires for keys without records; then steps without any record must be evaluated, too."""
        return any(rule.silence is not None and len(self.series[rule.name]) for rule in self._rules.rules)

    def dimensions(self, rule: str, key: str) -> dict[str, str]:
        return self.series[rule].dimensions(key)

    def chart(self, rule: str, key: str) -> Chart | None:
        return self.series[rule].chart(key) if rule in self.series else None

    def take_due(self, first_ms: int, last_ms: int) -> Iterable[tuple[str, str, StoredBaseline]]:
        """Yield the baselines that are due to be stored, as (rule, key, baseline).

        `first_ms` and `last_ms` are the starts of the first and last step closed since the previous call.
        """
        interval_ms = self._settings.snapshot_interval_s * 1000
        for name, series in self.series.items():
            for key, baseline in series.take_due(first_ms, last_ms, interval_ms).items():
                yield name, key, baseline

    def restore(
        self,
        closed_ms: int,
        baselines: Mapping[str, Mapping[str, StoredBaseline]],
        sums: Mapping[int, Mapping[str, WindowSum]],
    ) -> None:
        """Continue at the step that starts at `closed_ms`, from stored baselines and the counts of the kept steps.

        `baselines` are by rule and key, `sums` by start of the step in ms and key.
        """
        self._restore(self.series.values(), closed_ms, baselines, sums)

    def prime(self, primed: Mapping[str, Mapping[str, StoredBaseline]]) -> None:
        """Give alert rules without any baseline their first ones; `primed` is by rule and key."""
        for name, baselines in primed.items():
            if name in self.series:
                self.series[name].prime(baselines)

    def reload(self, rules: AlertRules, closed_ms: int | None, sums: Mapping[int, Mapping[str, WindowSum]]) -> None:
        """Replace the alert rules.

        `closed_ms` and `sums` are as in `restore`. A series that counts the same as before keeps its baselines, even
        if its thresholds changed.
        """
        before, series = self.series, {rule.name: self._new(rules, rule.name) for rule in rules.rules}
        new = [each for name, each in series.items() if not _taken_over(before.get(name), each)]
        # Only after everything that can fail: the baselines have no other copy in memory.
        self._rules, self._routes, self._routes_before, self.series = rules, {}, {}, series
        if closed_ms is not None:
            self._restore(new, closed_ms, {}, sums)

    @property
    def retain_ms(self) -> int:
        """Time in ms for which counts of closed steps are kept: for the longest window and for restoring baselines."""
        for_windows = self._rules.longest_window_ms - self._step_ms
        spikes = any(rule.spike is not None or rule.silence is not None for rule in self._rules.rules)
        for_baselines = self._settings.snapshot_interval_s * 1000 + self._step_ms if spikes else 0
        return max(for_windows, for_baselines)

    def _restore(
        self,
        chosen: Iterable[RuleSeries],
        closed_ms: int,
        baselines: Mapping[str, Mapping[str, StoredBaseline]],
        sums: Mapping[int, Mapping[str, WindowSum]],
    ) -> None:
        closed = {start: self._roll_up(found) for start, found in sorted(sums.items()) if start < closed_ms}
        for series in chosen:
            name = series.rule.name
            steps = {start: rolled_up[name] for start, rolled_up in closed.items() if name in rolled_up}
            series.restore(closed_ms, baselines.get(name, {}), steps)
        names = {series.rule.name for series in chosen}
        for start, found in sorted(sums.items()):
            for key, late in found.items():
                if late.late_total and start < closed_ms:
                    for name, series_key, values in self.routes(key, late.dimensions):
                        if name in names:
                            self.series[name].correct(start, series_key, values, late.late_negative, late.late_total)

    def _roll_up(self, sums: Mapping[str, WindowSum]) -> dict[str, dict[str, StepCount]]:
        """Sum up counts by rule and series key, without the records that came after their step was evaluated."""
        rolled_up: dict[str, dict[str, StepCount]] = {}
        known_routes = self._routes
        for key, found in sums.items():
            negative, total = found.negative - found.late_negative, found.total - found.late_total
            if not total:
                continue
            for name, series_key, dimensions in known_routes.get(key) or self.routes(key, found.dimensions):
                of_rule = rolled_up.get(name)
                if of_rule is None:
                    of_rule = rolled_up[name] = {}
                known = of_rule.get(series_key)
                if known is None:
                    of_rule[series_key] = StepCount(dimensions, negative, total)
                else:
                    known.negative += negative
                    known.total += total
        return rolled_up

    def _new(self, rules: AlertRules, name: str) -> RuleSeries:
        rule = rules.get(name)
        assert rule is not None
        # Keys without a value of `group_by` share a partition; the others are spread over all of them.
        share = 1 / self._partitions if self._settings.group_by in rule.dimension else 1.0
        return RuleSeries(rule, rules, step_ms=self._step_ms, top_keys=self._settings.top_keys, budget_share=share)


def _taken_over(before: RuleSeries | None, series: RuleSeries) -> bool:
    """Let a new series continue with what `before` learnt. False, and nothing is done, if they measure other things."""
    return before is not None and before.fingerprint == series.fingerprint and series.take_over(before)
