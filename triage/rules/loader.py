"""Reads a rules file, and reports all problems at once, with line and rule name."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from triage.errors import ConfigError, did_you_mean
from triage.rules.engine import RuleSet
from triage.rules.model import FIXED_NAMES, Default, RoutingRule, RulesFile, SeverityRule, When
from triage.rules.source import SourceMap, read_source
from triage.types import SeverityLevel

Problem = tuple[int, str]
DEFAULT_RULES = Path(__file__).with_name("default.yaml")


def load_rules(
    path: Path | None,
    intents: Collection[str] | None = None,
    entities: Collection[str] | None = None,
    risk_scores: Collection[str] | None = None,
) -> RuleSet:
    """Load the rules from `path`, or the shipped ones if it is None.

    `intents` and `entities` are the allowed labels, `risk_scores` the names of risk models; None: any. The version of
    the result is the file's `version`, "+", and 8 hex digits of the file's SHA-256. Raises ConfigError naming every
    problem with its line.
    """
    path = path or DEFAULT_RULES
    try:
        content = path.read_bytes()
        text = content.decode("utf-8")
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"byte {error.start} is not UTF-8; save the file as UTF-8", where=str(path)) from error
    try:
        data, source = read_source(text)
    except yaml.YAMLError as error:
        raise ConfigError(_yaml_problem(error), where=str(path)) from error
    problems = list(source.problems)
    known = {"intent": intents, "entities": entities, "risk_scores": risk_scores}
    context = FIXED_NAMES | {name: tuple(labels) for name, labels in known.items() if labels is not None}
    rules = None
    try:
        rules = RulesFile.model_validate(data, context=context)
    except ValidationError as error:
        problems += [_explain(issue, data, source) for issue in error.errors(include_url=False)]
    problems += _repeated_names(data, source)
    if problems or rules is None:
        raise ConfigError([f"line {line}: {problem}" for line, problem in sorted(problems)], where=str(path))
    return RuleSet(rules, f"{rules.version}+{hashlib.sha256(content).hexdigest()[:8]}")


def _yaml_problem(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"not valid YAML: {error}"
    mark = error.problem_mark
    detail = ", ".join(part for part in (error.problem, error.context) if part)
    return f"line {mark.line + 1}, column {mark.column + 1}: not valid YAML: {detail}"


def _explain(issue: Any, data: Any, source: SourceMap) -> Problem:
    path = tuple(issue["loc"])
    names = list(path)
    rule = ""
    if len(path) >= 2 and path[0] in {"severity", "routing"} and isinstance(path[1], int):
        entry = data[path[0]][path[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        rule = f"{path[0]} rule {name!r}: " if isinstance(name, str) else f"{path[0]} rule {path[1] + 1}: "
        names = names[2:]
    field = ".".join(f"{name + 1}" if isinstance(name, int) else str(name) for name in names)
    return source.line(path), f"{rule}{field + ': ' if field else ''}{_message(issue, path)}"


def _message(issue: Any, path: tuple[Any, ...]) -> str:
    kind, given = issue["type"], issue.get("input")
    match kind:
        case "extra_forbidden":
            known = _fields(path)
            message = f"no such field{did_you_mean(str(path[-1]), known)}; known fields: {', '.join(known)}"
        case "missing":
            message = "is missing"
        case "literal_error":
            message = f"{given!r} is not a level; known levels: {', '.join(SeverityLevel)}"
        case "value_error":
            message = str(issue["ctx"]["error"])
        case "model_type":
            message = f"must be a mapping of fields, not {_shown(given)}"
        case "string_type" if isinstance(given, bool):
            message = (
                f"must be text, not {str(given).lower()}; YAML reads unquoted yes, no, on, off as booleans: quote it"
            )
        case _:
            message = f"{issue['msg'].removeprefix('Input ')} (got {_shown(given)})"
    return message


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _fields(path: tuple[Any, ...]) -> list[str]:
    """Known fields of the mapping that contains the unknown one."""
    shape: type[BaseModel] = RulesFile
    if path[0] == "default" and len(path) == 2:
        shape = Default
    elif path[0] in {"severity", "routing"} and len(path) == 3:
        shape = SeverityRule if path[0] == "severity" else RoutingRule
    elif path[0] in {"severity", "routing"}:
        shape = When
    return [field.alias or name for name, field in shape.model_fields.items()]


def _repeated_names(data: Any, source: SourceMap) -> list[Problem]:
    problems = []
    for section in ("severity", "routing"):
        seen: dict[str, int] = {}
        rules = data.get(section) if isinstance(data, dict) else None
        for number, rule in enumerate(rules if isinstance(rules, list) else []):
            name = rule.get("name") if isinstance(rule, dict) else None
            if not isinstance(name, str):
                continue
            line = source.line((section, number))
            if name in seen:
                problems.append(
                    (line, f"{section} rule {name!r}: the name is already used by the rule on line {seen[name]}")
                )
            seen.setdefault(name, line)
    return problems
