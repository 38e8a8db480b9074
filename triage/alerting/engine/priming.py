"""First baselines of spike rules, learned from the index's history or from a backtest's CSV file.

Without them a new rule learns for a day before it can fire.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from triage.alerting.detection import SpikeDetector
from triage.alerting.evaluation.series import STALE_MS
from triage.alerting.evaluation.stored_baseline import StoredBaseline, fingerprint_of, pack_state
from triage.alerting.rules.model import AlertRules, Rule
from triage.clock import Clock
from triage.config import AlertingSettings, Settings
from triage.elastic.client import connect
from triage.elastic.history import HistoryStep, read_history
from triage.errors import ConfigError
from triage.logging import get_logger
from triage.pipeline.window_counts.packing import partitions_of_groups
from triage.schemas.counts import group_of, parse_key

log = get_logger("triage.alerter")

_UNITS = {"h": 3600, "d": 86_400, "w": 604_800}
_LONGEST_S = 400 * 86_400

# By rule and key.
Primed = Mapping[str, Mapping[str, StoredBaseline]]


def parse_source(text: str) -> int | Path:
    """Parse the value of `--prime`: the length of the history to read from the index, or a file.

    Returns the number of seconds for `28d`, `4w` or `72h` (at most 400 days), or the path of an existing file. Raises
    ConfigError for any other text.
    """
    if found := re.fullmatch(r"(\d+)([hdw])", text):
        seconds = int(found[1]) * _UNITS[found[2]]
        if 0 < seconds <= _LONGEST_S:
            return seconds
    elif Path(text).is_file():
        return Path(text)
    raise ConfigError(
        f"takes a length of time, as 28d, 4w or 72h (at most 400d), or an existing file, not {text!r}", where="--prime"
    )


def prime(source: int | Path, settings: Settings, rules: AlertRules, clock: Clock) -> Primed:
    """Learn the baselines of each spike rule from past counts, up to the step that closes next. No alert fires.

    `source` is the length of the index's history in seconds, or a file of counts. Returns baselines by rule and key.
    Raises Unavailable, AccessDenied or DependencyError if Elasticsearch cannot be read, SourceError or ConfigError for
    an invalid file.
    """
    step_ms = settings.alerting.window_s * 1000
    end_ms = (clock.now_ms() - settings.alerting.allowed_lateness_s * 1000) // step_ms * step_ms
    steps_of = _from_file(source, settings.alerting, end_ms) if isinstance(source, Path) else None
    primed: dict[str, dict[str, StoredBaseline]] = {}
    client = connect(settings.elasticsearch)
    try:
        for rule in rules.rules:
            if rule.spike is None and rule.silence is None:
                continue
            if steps_of is not None:
                steps: Iterable[HistoryStep] = _of_rule(rule, steps_of)
            else:
                assert isinstance(source, int)
                start_ms = end_ms - source * 1000
                steps = read_history(
                    client, settings.elasticsearch, rule.dimension, rule.where, start_ms, end_ms, step_ms // 1000
                )
            primed[rule.name] = _learn(rule, rules, settings.alerting, steps, None if steps_of is not None else end_ms)
            log.info("baselines_primed", rule=rule.name, keys=len(primed[rule.name]))
    finally:
        client.close()
    return primed


def primed_for_partition(primed: Primed, partition: int, partitions: int, group_by: str) -> Primed:
    """Select the baselines, by rule and key, of the keys that workers assign to this partition of `window-counts`.

    The value of the field `group_by` determines a key's partition; `partitions` is the number of partitions.
    """
    groups = {
        rule: {key: group_of(baseline.dimensions, group_by) for key, baseline in found.items()}
        for rule, found in primed.items()
    }
    places = partitions_of_groups((group for found in groups.values() for group in found.values()), partitions)
    return {
        rule: {key: baseline for key, baseline in found.items() if places[groups[rule][key]] == partition}
        for rule, found in primed.items()
    }


def _learn(
    rule: Rule, rules: AlertRules, settings: AlertingSettings, steps: Iterable[HistoryStep], end_ms: int | None
) -> dict[str, StoredBaseline]:
    spike = rules.spike_settings(rule)
    assert spike is not None
    detector = SpikeDetector(spike, settings.window_s)
    volumes: dict[str, float] = {}
    dimensions: dict[str, dict[str, str]] = {}
    decay = 0.5 ** (settings.window_s / 86_400)
    last_ms: int | None = None
    for step in steps:
        if last_ms is not None:
            passed = decay ** ((step.start_ms - last_ms) // (settings.window_s * 1000))
            volumes = {key: volume * passed for key, volume in volumes.items()}
        negative, total = step.arrays()
        if rule.silence is None:
            detector.step(step.start_ms, step.keys, negative, total)
        else:
            detector.step(step.start_ms, step.keys, total, None)
        for key, values, count in zip(step.keys, step.dimensions, step.total, strict=True):
            volumes[key] = volumes.get(key, 0.0) + count
            dimensions[key] = values
        last_ms = step.start_ms
    if end_ms is not None and last_ms is not None:
        # Up to the step before the one that closes next: steps without records count too.
        detector.catch_up(end_ms)
    largest = sorted(volumes, key=lambda key: (-volumes[key], key))[: settings.top_keys]
    return {
        key: StoredBaseline(
            detector.last_start_ms or 0, fingerprint_of(rule), volumes[key], dimensions[key],
            pack_state(detector.snapshot(key)), primed=True,
        )
        for key in largest
    }  # fmt: skip


def _from_file(path: Path, settings: AlertingSettings, end_ms: int) -> list[HistoryStep]:
    from triage.alerting.backtest.source import table_of_file

    table = table_of_file(str(path), settings.window_s)
    texts, codes = table.keys.texts, table.keys.codes
    values = {code: parse_key(text) for code, text in enumerate(texts)}
    if wrong := [texts[code] for code, found in values.items() if found is None]:
        shown = ", ".join(repr(text) for text in wrong[:5])
        raise ConfigError(
            f"keys are written as brand=Acme|intent=delivery (empty: everything), not {shown}", where=str(path)
        )
    steps: dict[int, HistoryStep] = {}
    for row in range(len(table)):
        start_ms = int(table.number[row]) * table.step_ms + table.phase_ms
        if table.phase_ms or start_ms >= end_ms:
            continue
        step = steps.setdefault(start_ms, HistoryStep(start_ms))
        total = None if table.total is None else table.total[row]
        step.keys.append(texts[codes[row]])
        step.dimensions.append(values[int(codes[row])] or {})
        step.negative.append(int(table.negative[row]))
        step.total.append(int(total) if total is not None and total == total else int(table.negative[row]))  # noqa: PLR0124
    if not steps or end_ms - max(steps) > STALE_MS:
        raise ConfigError(
            "has no steps of the last two weeks that are multiples of alerting.window_s; older ones are not used",
            where=str(path),
        )
    return [steps[start_ms] for start_ms in sorted(steps)]


def _of_rule(rule: Rule, steps: Iterable[HistoryStep]) -> Iterable[HistoryStep]:
    """The steps with the counts of the rule's series; none if it filters by a field that a file's keys lack."""
    if rule.counted != frozenset(rule.dimension):
        log.warning("rule_not_primed", rule=rule.name, reason="it filters by a field that the file's keys lack")
        return
    for step in steps:
        chosen = [index for index, values in enumerate(step.dimensions) if rule.matches(values)]
        if chosen:
            columns = (step.keys, step.dimensions, step.negative, step.total)
            yield HistoryStep(step.start_ms, *([column[index] for index in chosen] for column in columns))  # type: ignore[arg-type]
