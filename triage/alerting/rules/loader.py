"""Reads and checks a file of alert rules; one error message lists all problems."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from triage.alerting.notifiers import ADDRESSES
from triage.alerting.rules.model import AlertRules, Rule, RuleFile
from triage.config import AlertingSettings, Settings
from triage.errors import ConfigError, did_you_mean
from triage.rules.source import read_source
from triage.schemas.counts import COUNTED_FIELDS
from triage.translations import places_of

_DEFAULT = Path(__file__).with_name("default.yaml")


def load_alert_rules(settings: AlertingSettings) -> AlertRules:
    """Load the rules that `alerting.rules` names, by default those that come with the package.

    Raises ConfigError that lists every problem of the file, including conflicts with `alerting.dimensions`,
    `alerting.window_s` and `alerting.group_by`.
    """
    where = str(settings.rules) if settings.rules else "default alert rules"
    return parse_alert_rules(read_alert_rules(settings), settings, where)


def read_alert_rules(settings: AlertingSettings) -> bytes:
    """Read the rule file, by default the one in the package. Raises ConfigError if it cannot be read."""
    source = settings.rules or _DEFAULT
    try:
        return source.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=str(source)) from error


def parse_alert_rules(text: bytes, settings: AlertingSettings, where: str) -> AlertRules:
    """Parse and check the content of a rule file. Raises ConfigError with every problem.

    `where` names the file in the message.
    """
    try:
        content, _ = read_source(text.decode("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid YAML: {error}", where=where) from error
    try:
        file = RuleFile.model_validate(content)
    except ValidationError as error:
        problems = [_explain(issue, content) for issue in error.errors()]
        problems += _problems(_valid_rules(content), settings)
        raise ConfigError(problems, where=where) from error
    problems = _problems(file.rules, settings)
    if problems:
        raise ConfigError(problems, where=where)
    return AlertRules(file.rules, runbooks=file.runbooks, zone=file.zone, all_mutes=file.all_mutes)


def check(settings: Settings) -> list[str]:
    """List all problems of the files that the alerting section names, as messages; empty if there are none."""
    found = []
    for read in (load_alert_rules, lambda alerting: places_of(alerting.places)):
        try:
            read(settings.alerting)
        except ConfigError as error:
            found += [f"{error.where}: {problem}" for problem in error.problems]
    return found


def _valid_rules(content: Any) -> list[Rule]:
    """The valid rules of a file, so that their other problems are in the same message."""
    valid = []
    given = content.get("rules") if isinstance(content, dict) else None
    for rule in given if isinstance(given, list) else []:
        with contextlib.suppress(ValidationError):
            valid.append(Rule.model_validate(rule))
    return valid


def _problems(rules: Sequence[Rule], settings: AlertingSettings) -> list[str]:
    counted = {frozenset(names) for names in settings.dimensions}
    problems = []
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            problems.append(f"rule {rule.name}: there are two of this name")
        names.add(rule.name)
        found = []
        if unknown := sorted(rule.counted - set(COUNTED_FIELDS)):
            found.append(f"unknown field {', '.join(unknown)}; fields are {', '.join(COUNTED_FIELDS)}")
        elif rule.counted not in counted:
            found.append(_not_counted(rule, settings))
        if rule.window_s % settings.window_s:
            found.append(f"window_s {rule.window_s} is not a multiple of alerting.window_s, {settings.window_s}")
        group = rule.where.get(settings.group_by)
        if group is not None and settings.group_by not in rule.dimension and len(group.in_ or []) != 1:
            found.append(
                f"where.{settings.group_by} takes one value in `in`, or {settings.group_by} in dimension: counts of "
                "several values of alerting.group_by are in different partitions and cannot be added up"
            )
        found += _unknown_receivers(rule, settings)
        problems += [f"rule {rule.name}: {problem}" for problem in found]
    return problems


def _not_counted(rule: Rule, settings: AlertingSettings) -> str:
    needed = f"[{', '.join(sorted(rule.counted))}]"
    shown = " ".join("[" + ", ".join(names) + "]" for names in settings.dimensions)
    fields = "dimension and where need" if rule.where.keys() - set(rule.dimension) else "dimension needs"
    return f"{fields} {needed}, which is not counted: add it to alerting.dimensions, which has {shown}"


def _unknown_receivers(rule: Rule, settings: AlertingSettings) -> list[str]:
    problems = []
    for name in rule.notify or []:
        if name not in ADDRESSES:
            problems.append(f"notify names {name!r}; there are {', '.join(ADDRESSES)}")
        elif (setting := ADDRESSES[name]) is not None and not getattr(settings, setting):
            problems.append(f"notify names {name}, but alerting.{setting} is not set")
    return problems


def _field_names() -> set[str]:
    """Names of all fields that a file of alert rules may have, at any depth."""
    schema = RuleFile.model_json_schema()
    return {name for shape in (schema, *schema["$defs"].values()) for name in shape.get("properties", ())}


def _explain(issue: Any, content: Any) -> str:
    parts = [str(part) for part in issue["loc"]]
    if len(parts) > 1 and parts[0] == "rules" and parts[1].isdigit():
        named = content["rules"][int(parts[1])]
        name = named.get("name") if isinstance(named, dict) else None
        parts = [f"rule {name or int(parts[1]) + 1}", *parts[2:]]
    if issue["type"] == "extra_forbidden":
        return f"{'.'.join(parts)}: no such field{did_you_mean(parts[-1], _field_names())}"
    given = issue.get("input")
    shown = "" if isinstance(given, dict) else f" (got {given!r})"
    return f"{'.'.join(parts) or 'file'}: {issue['msg'].removeprefix('Value error, ')}{shown}"
