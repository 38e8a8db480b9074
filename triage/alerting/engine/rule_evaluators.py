"""All rules' series of one partition: counts are rolled up to the series of each rule that they concern. No I/O."""

from collections.abc import Iterable, Mapping

from triage.alerting.engine.windows import WindowSum
from triage.alerting.evaluation.series import RuleSeries
from triage.alerting.evaluation.stored_baseline import Baseline, StepCount
from triage.alerting.evaluation.verdict import RuleWindow, Verdict
from triage.alerting.rules.model import AlertRules
from triage.config import AlertingSettings
from triage.schemas.alert import Chart
from triage.schemas.counts import dimension_key

_MOST_ROUTES = 200_000
_ROUTES_MS = 3_600_000

Route = tuple[str, str, dict[str, str]]


class RuleEvaluators:
    """Judges closed steps by every rule."""

    def __init__(self, rules: AlertRules, settings: AlertingSettings) -> None:
        self._settings = settings
        self._step_ms = settings.window_s * 1000
        self.series = {rule.name: self._new(rules, rule.name) for rule in rules.rules}
        self._rules = rules
        self._routes: dict[str, tuple[Route, ...]] = {}
        self._routes_since_ms = 0

    def concern(self, key: str, dimensions: Mapping[str, str]) -> tuple[Route, ...]:
        """(rule, series key, its dimensions) of every series that a count goes to."""
        found = self._routes.get(key)
        if found is None:
            if len(self._routes) >= _MOST_ROUTES:
                self._routes.clear()
            found = self._routes[key] = tuple(
                (rule.name, dimension_key(values), values)
                for rule in self._rules.rules
                if rule.matches(dimensions)
                for values in (rule.series_of(dimensions),)
            )
        return found

    def close(self, start_ms: int, sums: Mapping[str, WindowSum]) -> list[tuple[str, str]]:
        """Judge a step; returns (rule, key) of what fires."""
        if start_ms - self._routes_since_ms >= _ROUTES_MS:
            # Most keys come no more: without this their routes add up to the bound.
            self._routes.clear()
            self._routes_since_ms = start_ms
        rolled = self._rolled(sums)
        return [
            (name, key) for name, series in self.series.items() for key in series.close(start_ms, rolled.get(name, {}))
        ]

    def correct(self, start_ms: int, key: str, dimensions: Mapping[str, str], negative: int, total: int) -> None:
        """Records of a step that was judged before they came."""
        for name, series_key, _ in self.concern(key, dimensions):
            self.series[name].correct(start_ms, series_key, negative, total)

    def window(self, rule: str, key: str, dimensions: Mapping[str, str]) -> RuleWindow:
        return self.series[rule].window(key, dimensions)

    def verdict(self, rule: str, key: str) -> Verdict:
        return self.series[rule].verdict(key)

    def dimensions(self, rule: str, key: str) -> dict[str, str]:
        return self.series[rule].dimensions(key)

    def chart(self, rule: str, key: str) -> Chart | None:
        return self.series[rule].chart(key) if rule in self.series else None

    def take_due(self, first_ms: int, last_ms: int) -> Iterable[tuple[str, str, Baseline]]:
        """(rule, key, baseline) to store after the steps from `first_ms` to `last_ms` were closed."""
        interval_ms = self._settings.snapshot_interval_s * 1000
        for name, series in self.series.items():
            for key, baseline in series.take_due(first_ms, last_ms, interval_ms).items():
                yield name, key, baseline

    def restore(
        self,
        closed_ms: int,
        baselines: Mapping[str, Mapping[str, Baseline]],
        sums: Mapping[int, Mapping[str, WindowSum]],
    ) -> None:
        """Go on from stored baselines and the counts of the steps that are kept."""
        self._restore(self.series.values(), closed_ms, baselines, sums)

    def prime(self, primed: Mapping[str, Mapping[str, Baseline]]) -> None:
        """What the past has taught, for rules that have learnt nothing yet."""
        for name, baselines in primed.items():
            if name in self.series:
                self.series[name].prime(baselines)

    def reload(self, rules: AlertRules, closed_ms: int | None, sums: Mapping[int, Mapping[str, WindowSum]]) -> None:
        """Other rules: series that stay keep their baselines, whatever the thresholds."""
        before, series = self.series, {rule.name: self._new(rules, rule.name) for rule in rules.rules}
        new = [one for name, one in series.items() if not _taken_over(before.get(name), one)]
        # All at once, after all that can fail: the baselines are nowhere else.
        self._rules, self._routes, self.series = rules, {}, series
        if closed_ms is not None:
            self._restore(new, closed_ms, {}, sums)

    @property
    def retain_ms(self) -> int:
        """How long the counts of closed steps are needed: by windows, and to go on from a stored baseline."""
        longest = self._rules.longest_window_ms - self._step_ms
        spikes = any(rule.spike is not None for rule in self._rules.rules)
        kept = self._settings.snapshot_interval_s * 1000 + self._step_ms if spikes else 0
        return max(longest, kept)

    def _restore(
        self,
        chosen: Iterable[RuleSeries],
        closed_ms: int,
        baselines: Mapping[str, Mapping[str, Baseline]],
        sums: Mapping[int, Mapping[str, WindowSum]],
    ) -> None:
        closed = {start: self._rolled(found) for start, found in sorted(sums.items()) if start < closed_ms}
        for series in chosen:
            name = series.rule.name
            steps = {start: rolled[name] for start, rolled in closed.items() if name in rolled}
            series.restore(closed_ms, baselines.get(name, {}), steps)
        names = {series.rule.name for series in chosen}
        for start, found in sums.items():
            for key, late in found.items():
                if late.late_total and start < closed_ms:
                    for name, series_key, _ in self.concern(key, late.dimensions):
                        if name in names:
                            self.series[name].correct(start, series_key, late.late_negative, late.late_total)

    def _rolled(self, sums: Mapping[str, WindowSum]) -> dict[str, dict[str, StepCount]]:
        """Counts by rule and series key, without what came late."""
        rolled: dict[str, dict[str, StepCount]] = {}
        for key, found in sums.items():
            negative, total = found.negative - found.late_negative, found.total - found.late_total
            if not total:
                continue
            for name, series_key, dimensions in self.concern(key, found.dimensions):
                of_rule = rolled.setdefault(name, {})
                known = of_rule.get(series_key)
                if known is None:
                    of_rule[series_key] = StepCount(dimensions, negative, total)
                else:
                    of_rule[series_key] = StepCount(dimensions, known.negative + negative, known.total + total)
        return rolled

    def _new(self, rules: AlertRules, name: str) -> RuleSeries:
        rule = rules.get(name)
        assert rule is not None
        return RuleSeries(rule, rules, step_ms=self._step_ms, top_keys=self._settings.top_keys)


def _taken_over(before: RuleSeries | None, series: RuleSeries) -> bool:
    """True if `series` goes on from the same series as it was under the rules before."""
    return before is not None and before.fingerprint == series.fingerprint and series.take_over(before)
