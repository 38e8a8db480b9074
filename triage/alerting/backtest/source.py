"""Input of a backtest: counts of a file or of the index, and the rule to evaluate."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from triage.alerting.backtest.columns import coded
from triage.alerting.backtest.run import BacktestRule
from triage.alerting.backtest.table import Table, build_table, read_table
from triage.alerting.detection import SpikeSettings
from triage.alerting.rules.model import Rule
from triage.clock import rfc3339
from triage.config import Settings
from triage.elastic.client import connect
from triage.elastic.history import read_history
from triage.errors import ConfigError, SourceError
from triage.sources.stream import open_stream, shown

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


def find_rule(settings: Settings, name: str | None) -> tuple[Rule | None, SpikeSettings | None]:
    """Find the rule `name`; returns it with the settings of its spike detector, in the rule's time zone.

    If `name` is None, returns None and the detector's default settings. Raises ConfigError for an unknown name and for
    a silence rule, which has no backtest.
    """
    if name is None:
        return None, SpikeSettings()
    from triage.alerting.rules.loader import load_alert_rules

    rules = load_alert_rules(settings.alerting)
    rule = rules.get(name)
    if rule is None:
        raise ConfigError(f"--rule {name}: no such rule; there are {', '.join(rule.name for rule in rules.rules)}")
    if rule.silence is not None:
        raise ConfigError(f"--rule {name}: a rule with silence has no backtest; triage alerts rules shows its keys")
    return rule, rules.spike_settings(rule)


def backtest_rule(rule: Rule | None, spike: SpikeSettings | None, flags: dict[str, Any]) -> BacktestRule:
    """The settings of a rule for a backtest, overridden by the flags of the command that are not None.

    `rule` and `spike` are the results of `find_rule`.

    Raises ConfigError for invalid values.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    if {"false_alerts", "z_count"} <= given.keys():
        raise ConfigError("give either --budget or --z-count: a fixed score has no budget")
    if given:
        if spike is None:
            raise ConfigError(f"the rule has no spike detector for {', '.join(sorted(given))}")
        try:
            # A flag for one of the two replaces the other of the rule.
            replaced = {"false_alerts": "z_count", "z_count": "false_alerts"}
            dropped = {replaced[name] for name in given if name in replaced}
            kept = {name: value for name, value in spike.model_dump(exclude_unset=True).items() if name not in dropped}
            spike = SpikeSettings.model_validate({**kept, **given})
        except ValidationError as error:
            raise ConfigError(
                [f"{'.'.join(map(str, issue['loc'])) or 'settings'}: {issue['msg']}" for issue in error.errors()]
            ) from error
    if rule is None:
        return BacktestRule(spike)
    return BacktestRule(spike, rule.static, rule.window_s, rule.pending, rule.resolve_after, rule.name)


def table_of_file(path: str, step_s: int | None) -> Table:
    """Read counts from a CSV file, plain or compressed by gzip; `-` is standard input.

    `step_s` is the length of a window in seconds; None: derived from the rows. Raises ConfigError for a file that does
    not exist or has an unsupported format, SourceError for invalid content.
    """
    with open_stream(path) as stream:
        return read_table(io.BufferedReader(stream), shown(path), step_s)


def table_of_history(settings: Settings, rule: Rule | None, start_ms: int, end_ms: int, step_s: int) -> Table:
    """Read counts from the index for the keys of a rule, or of all records together if `rule` is None.

    Raises SourceError if there are no records between `start_ms` and `end_ms`, and Unavailable, AccessDenied or
    DependencyError if Elasticsearch cannot be read.
    """
    cells: dict[str, list[str]] = {name: [] for name in ("window_start", "key", "negative", "total")}
    client = connect(settings.elasticsearch)
    dimension, where = (rule.dimension, rule.where) if rule else ([], {})
    try:
        for step in read_history(client, settings.elasticsearch, dimension, where, start_ms, end_ms, step_s):
            cells["window_start"] += [rfc3339(step.start_ms)] * len(step.keys)
            cells["key"] += step.keys
            cells["negative"] += map(str, step.negative)
            cells["total"] += map(str, step.total)
    finally:
        client.close()
    if not cells["key"]:
        raise SourceError(f"the index has no records from {rfc3339(start_ms)} to {rfc3339(end_ms)}")
    columns = {name: coded(texts) for name, texts in cells.items()}
    return build_table(columns, np.arange(len(cells["key"]), dtype=np.int64), "history", step_s)


def seconds_of(text: str, flag: str) -> int:
    """Convert a duration to seconds: a number with the unit s, min, m, h, d or w (default: s).

    Raises ConfigError for other text; `flag` is the name of the option in the message.
    """
    found = re.fullmatch(r"(\d+)\s*(s|min|m|h|d|w)?", text.strip())
    if not found or int(found[1]) == 0:
        raise ConfigError(f"{flag} is a length of time, as 300, 5m, 1h or 7d, not {text!r}")
    return int(found[1]) * _UNITS[found[2] or "s"]


def moment_of(text: str, now_ms: int, flag: str) -> int:
    """Convert a time to ms since the epoch: ISO 8601 (UTC if it has no offset), or a duration before `now_ms`.

    Raises ConfigError for other text; `flag` is the name of the option in the message.
    """
    if re.fullmatch(r"\d+\s*[a-z]+", text.strip()):
        return now_ms - seconds_of(text, flag) * 1000
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(f"{flag} is a time, as 2026-01-31T08:00, or a while ago, as 28d, not {text!r}") from error
    return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)


def check_output(path: Path | None, flag: str) -> None:
    """Check that a file can be written, before anything is computed.

    Raises ConfigError if `path` is a folder or its folder does not exist; `flag` is the name of the option. None is
    accepted.
    """
    if path is not None and (path.is_dir() or not path.parent.is_dir()):
        raise ConfigError(f"{flag}: {path} is a folder, or in one that is not there")
