"""Structure of a rules file as pydantic models: conditions, severity rules, routing rules and the default."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from triage.rules.regexes import MAX_STEPS, SHORTER, compiled
from triage.rules.syntax import RefusedError
from triage.types import Channel, Flag, RiskLabel, SentimentLabel, SeverityLevel

Level = Literal["low", "medium", "high", "critical"]
assert set(Level.__args__) == {level.value for level in SeverityLevel}  # type: ignore[attr-defined]

_NAME = re.compile(r"[a-z0-9][a-z0-9_.\-]{0,79}")
_MAX_STEPS_OF_ALL = 20 * MAX_STEPS
DEFAULT = "default"
"""The rule named on records for which no rule fired, so no rule may have this name."""


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _string(value: Any) -> Any:
    # YAML reads 12315 as a number, which is certainly meant as text, and `no` as a boolean, which is ambiguous.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Word = Annotated[str, BeforeValidator(_string), Field(min_length=1, max_length=200)]
Probability = Annotated[float, Field(ge=0, le=1)]
Words = Annotated[list[Word], BeforeValidator(_as_list), Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class When(_Part):
    """Conditions of a rule; all of them must hold.

    A list of values holds if one of them matches. For the nested conditions, `any` needs one that holds, `all` every
    one, and `not` none.
    """

    channel: Words | None = None
    intent: Words | None = None
    sentiment: Words | None = None
    language: Words | None = None
    brand: Words | None = None
    product: Words | None = None
    region: Words | None = None
    source: Words | None = None
    flags: Words | None = None
    entities: Words | None = None
    risks: Words | None = None
    text_any: Words | None = None
    text_says: Words | None = None
    text_regex: Words | None = None
    risk_score_at_least: Annotated[dict[str, Probability], Field(min_length=1)] | None = None
    sentiment_below: Annotated[float, Field(ge=-1, le=1)] | None = None
    sentiment_above: Annotated[float, Field(ge=-1, le=1)] | None = None
    intent_confidence_at_least: Annotated[float, Field(ge=0, le=1)] | None = None
    intent_confidence_below: Annotated[float, Field(ge=0, le=1)] | None = None
    rating_at_most: float | None = None
    rating_at_least: float | None = None
    any_of: list["When"] | None = Field(None, alias="any", min_length=1)
    all_of: list["When"] | None = Field(None, alias="all", min_length=1)
    not_: "When | None" = Field(None, alias="not")

    @field_validator("channel", "intent", "sentiment", "flags", "entities", "risks")
    @classmethod
    def _known(cls, values: list[str] | None, info: ValidationInfo) -> list[str] | None:
        known = (info.context or {}).get(info.field_name)
        unknown = [value for value in values or () if known is not None and value not in known]
        if unknown:
            raise ValueError(f"no such {info.field_name}: {', '.join(unknown)}; known: {', '.join(known or ())}")
        return values

    @field_validator("risk_score_at_least")
    @classmethod
    def _fitted(cls, limits: dict[str, float] | None, info: ValidationInfo) -> dict[str, float] | None:
        known: Sequence[str] | None = (info.context or {}).get("risk_scores")
        unknown = [name for name in limits or () if known is not None and name not in known]
        if known is not None and unknown:
            raise ValueError(
                f"no such risk score: {', '.join(unknown)}; the files of risk.models have: {', '.join(known) or 'none'}"
            )
        return limits

    @field_validator("text_regex")
    @classmethod
    def _compiles(cls, values: list[str] | None) -> list[str] | None:
        for value in values or ():
            try:
                compiled(value)
            except RefusedError as problem:
                raise ValueError(f"{value!r} {problem}") from problem
        return values

    @field_validator("text_any", "text_says")
    @classmethod
    def _says_something(cls, values: list[str] | None) -> list[str] | None:
        for value in values or ():
            if not any(char.isalnum() for char in value):
                raise ValueError(f"{value!r} has no letter or digit, so it would match nothing")
        return values

    @model_validator(mode="after")
    def _not_empty(self) -> "When":
        if not self.model_fields_set:
            raise ValueError("is empty; give at least one condition, or omit `when` for a rule that always fires")
        return self

    @property
    def steps(self) -> int:
        """Size of all regular expressions together, in steps of RE2's automata.

        The matching time is at most proportional to it.
        """
        parts: list[When] = [*(self.any_of or ()), *(self.all_of or ()), *([self.not_] if self.not_ else ())]
        return sum(compiled(pattern).steps for pattern in self.text_regex or ()) + sum(part.steps for part in parts)


class _Rule(_Part):
    name: str
    when: When | None = None

    @field_validator("name")
    @classmethod
    def _plain(cls, name: str) -> str:
        if not _NAME.fullmatch(name) or name == DEFAULT:
            raise ValueError(f"{name!r} is not a valid name; use up to 80 of a-z 0-9 _ . -, and not {DEFAULT!r}")
        return name

    @model_validator(mode="after")
    def _quick(self) -> "_Rule":
        if self.when and self.when.steps > MAX_STEPS:
            raise ValueError(
                f"its regular expressions have {self.when.steps} steps together, at most {MAX_STEPS} are allowed; "
                f"{SHORTER}"
            )
        return self


class SeverityRule(_Rule):
    """A rule that changes the severity of records that match its conditions.

    `set` proposes a level, the highest of which wins; `raise` adds 1 to 3 levels to the result, or subtracts them if
    negative; `stop` skips all further severity rules.
    """

    set_to: Level | None = Field(None, alias="set")
    raise_by: Annotated[int, Field(ge=-3, le=3)] | None = Field(None, alias="raise")
    stop: bool = False

    @model_validator(mode="after")
    def _does_something(self) -> "SeverityRule":
        if (self.set_to is None) == (not self.raise_by):
            raise ValueError("needs either `set: <level>` or `raise: <1 to 3, or -3 to -1>`")
        return self


class RoutingRule(_Rule):
    queue: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,79}$")]


class Default(_Part):
    severity: Level
    queue: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.\-]{0,79}$")]


class RulesFile(_Part):
    version: Annotated[str, BeforeValidator(_string), Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.\-]+$")]
    default: Default
    severity: list[SeverityRule] = []
    routing: list[RoutingRule] = []

    @model_validator(mode="after")
    def _quick(self) -> "RulesFile":
        steps = sum(rule.when.steps for rule in [*self.severity, *self.routing] if rule.when)
        if steps > _MAX_STEPS_OF_ALL:
            raise ValueError(
                f"the regular expressions of all rules have {steps} steps together, at most {_MAX_STEPS_OF_ALL} are "
                f"allowed; {SHORTER}"
            )
        return self


FIXED_NAMES: dict[str, tuple[str, ...]] = {
    "channel": tuple(Channel),
    "sentiment": tuple(SentimentLabel),
    "flags": tuple(Flag),
    "risks": tuple(RiskLabel),
}
