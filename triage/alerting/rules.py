"""Alert rules: which counts are judged, when they fire, and whom that concerns. A YAML file; all problems at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from triage.config import Settings
from triage.errors import ConfigError

NOTIFIERS = ("log", "webhook", "slack")
_DEFAULT = Path(__file__).with_name("default.yaml")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Values(_Strict):
    """Values of a dimension that a rule looks at: those of `in`, or all but those of `not_in`."""

    in_: list[str] | None = Field(None, alias="in", min_length=1)
    not_in: list[str] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one(self) -> "Values":
        if (self.in_ is None) == (self.not_in is None):
            raise ValueError("takes either in or not_in")
        return self

    def match(self, value: str | None) -> bool:
        if self.in_ is not None:
            return value in self.in_
        return self.not_in is not None and value not in self.not_in


class StaticThreshold(_Strict):
    """Both must be reached: a share alone fires on two records, a count alone on any busy day."""

    share_at_least: float = Field(gt=0, le=1)
    count_at_least: int = Field(ge=1)


class Rule(_Strict):
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    dimension: list[str]
    where: dict[str, Values] = {}
    window_s: int = Field(ge=10, le=7 * 86_400)
    static: StaticThreshold
    resolve_after: int = Field(6, ge=1, le=1000, description="Quiet steps in a row that resolve")
    severity: Literal["critical", "error", "warning", "info"] = "warning"
    runbook: str | None = Field(None, pattern=r"^https?://")
    notify: list[Literal["log", "webhook", "slack"]] | None = Field(None, description="Default: every configured one")

    @model_validator(mode="after")
    def _where_fits(self) -> "Rule":
        if unknown := sorted(self.where.keys() - set(self.dimension)):
            raise ValueError(f"where names {', '.join(unknown)}, which is not in dimension {self.dimension}")
        if len(set(self.dimension)) != len(self.dimension):
            raise ValueError(f"dimension {self.dimension} names a field twice")
        return self

    def matches(self, dimensions: Mapping[str, str]) -> bool:
        """Whether counts of these dimension values are this rule's."""
        return dimensions.keys() == set(self.dimension) and all(
            values.match(dimensions.get(name)) for name, values in self.where.items()
        )


class _File(_Strict):
    version: Literal[1]
    rules: Annotated[list[Rule], Field(min_length=1)]


class AlertRules:
    """The rules in force, by name."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._by_name = {rule.name: rule for rule in rules}

    def get(self, name: str) -> Rule | None:
        return self._by_name.get(name)

    def concern(self, dimensions: Mapping[str, str]) -> bool:
        """Whether any rule judges counts of these dimension values."""
        return any(rule.matches(dimensions) for rule in self.rules)

    @property
    def longest_window_ms(self) -> int:
        return max(rule.window_s for rule in self.rules) * 1000


def load_alert_rules(path: Path | None, dimensions: Sequence[Sequence[str]], step_s: int | None = None) -> AlertRules:
    """Read and check a rule file, by default the one that comes with the package.

    `dimensions` are the field combinations that workers count, `step_s` the step they count by. Raises ConfigError
    with every problem of the file.
    """
    source = path or _DEFAULT
    where = str(path) if path else "default alert rules"
    try:
        content = yaml.safe_load(source.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=where) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"not valid YAML: {error}", where=where) from error
    try:
        rules = _File.model_validate(content).rules
    except ValidationError as error:
        raise ConfigError([_explain(issue, content) for issue in error.errors()], where=where) from error
    problems = _problems(rules, dimensions, step_s)
    if problems:
        raise ConfigError(problems, where=where)
    return AlertRules(rules)


def check(settings: Settings) -> list[str]:
    """Every problem of the alerting section and the rule file it names; [] when there is none."""
    alerting = settings.alerting
    try:
        rules = load_alert_rules(alerting.rules, alerting.dimensions, alerting.window_s)
    except ConfigError as error:
        return [f"{error.where}: {problem}" for problem in error.problems]
    configured = {"log"}
    configured |= {"webhook"} if alerting.webhook_url else set()
    configured |= {"slack"} if alerting.slack_url else set()
    return [
        f"alert rule {rule.name}: notify names {name}, but alerting.{name}_url is not set"
        for rule in rules.rules
        for name in rule.notify or []
        if name not in configured
    ]


def _problems(rules: Sequence[Rule], dimensions: Sequence[Sequence[str]], step_s: int | None) -> list[str]:
    counted = {frozenset(names) for names in dimensions}
    shown = " ".join("[" + ", ".join(names) + "]" for names in dimensions)
    problems = []
    names: set[str] = set()
    for rule in rules:
        if rule.name in names:
            problems.append(f"rule {rule.name}: there are two of this name")
        names.add(rule.name)
        if frozenset(rule.dimension) not in counted:
            problems.append(
                f"rule {rule.name}: dimension [{', '.join(rule.dimension)}] is not counted; "
                f"alerting.dimensions has {shown}"
            )
        if step_s is not None and rule.window_s % step_s:
            problems.append(
                f"rule {rule.name}: window_s {rule.window_s} is no multiple of the step, alerting.window_s {step_s}"
            )
    return problems


def _explain(issue: Any, content: Any) -> str:
    parts = [str(part) for part in issue["loc"]]
    if len(parts) > 1 and parts[0] == "rules" and parts[1].isdigit():
        named = content["rules"][int(parts[1])]
        name = named.get("name") if isinstance(named, dict) else None
        parts = [f"rule {name or int(parts[1]) + 1}", *parts[2:]]
    if issue["type"] == "extra_forbidden":
        return f"{'.'.join(parts)}: no such field"
    given = issue.get("input")
    shown = "" if isinstance(given, dict) else f" (got {given!r})"
    return f"{'.'.join(parts) or 'file'}: {issue['msg'].removeprefix('Value error, ')}{shown}"
