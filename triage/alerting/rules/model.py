"""Alert rules: the counts that they evaluate, their thresholds and receivers.

`load_alert_rules` in `loader` reads them from a file.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from triage.alerting.detection import SpikeSettings
from triage.alerting.detection.budget import Budget, parse_budget

Severity = Literal["critical", "error", "warning", "info"]
# Most severe first.
SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")


# The detector of a silence learns what is usual, and no count fires for it.
_NEVER = 30.0


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Values(_Strict):
    """Filter on a field: the values of `in`, or all values except those of `not_in`."""

    in_: list[str] | None = Field(None, alias="in", min_length=1)
    not_in: list[str] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.in_ is None) == (self.not_in is None):
            raise ValueError("takes either in or not_in")
        return self

    def match(self, value: str | None) -> bool:
        if self.in_ is not None:
            return value in self.in_
        return self.not_in is not None and value not in self.not_in


class StaticThreshold(_Strict):
    """A fixed threshold, which fires when the window reaches both this share and this number of negative records.

    A share alone would fire for two records, a count alone on any busy day.
    """

    share_at_least: float = Field(gt=0, le=1)
    count_at_least: int = Field(ge=1)


class SilenceSettings(_Strict):
    """Options of `silence` in a rule, which fires when a key has no records although many are usual."""

    false_alerts: str = Field(
        "0.005 a week per key", description="Accepted false alerts: 1 a week of all keys, 0.005 a week per key"
    )
    nights: bool = Field(
        False, description="Watch also keys with hours or days of the week without records, outside of these"
    )
    learning_days: float = Field(7.0, ge=0, description="A key younger than this is learning: it does not fire")
    learning_windows: int = Field(24, ge=1, description="... and younger than this many windows")

    @field_validator("false_alerts")
    @classmethod
    def _parse(cls, text: str) -> str:
        parse_budget(text)
        return text

    @property
    def budget(self) -> Budget:
        return parse_budget(self.false_alerts)


class Rule(_Strict):
    """An alert rule. It watches one series of counts per combination of values of the fields in `dimension`.

    A series fires when `spike` or `static` does. A rule with `silence` has neither: it fires for keys without records.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    dimension: list[str]
    where: dict[str, Values] = {}
    window_s: int = Field(3600, ge=10, le=7 * 86_400, description="What static thresholds sum, and pages show")
    static: StaticThreshold | None = None
    spike: SpikeSettings | None = None
    silence: SilenceSettings | None = None
    zone: str | None = Field(None, description="IANA time zone of the seasons; default: the file's")
    pending: int = Field(0, ge=0, le=12, description="Firing steps in a row before the one that fires")
    resolve_after: int = Field(6, ge=1, le=1000, description="Quiet steps in a row that resolve")
    severity: Severity = "warning"
    runbook: str | None = Field(None, pattern=r"^https?://")
    notify: list[str] | None = Field(None, description="Receivers; default: every configured one; []: only recorded")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        return zone if zone is None else known_zone(zone)

    @field_validator("silence", mode="before")
    @classmethod
    def _empty_is_default(cls, silence: object) -> object:
        return {} if silence is None else silence

    @field_validator("spike", mode="before")
    @classmethod
    def _zone_is_not_in_spike(cls, spike: object) -> object:
        if isinstance(spike, Mapping) and "zone" in spike:
            raise ValueError("zone is a field of the rule, next to spike, not in it")
        return {} if spike is None else spike

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = []
        if self.silence is not None and (self.static is not None or self.spike is not None):
            problems.append("silence is a rule of its own: it has no static or spike next to it")
        elif self.static is None and self.spike is None and self.silence is None:
            problems.append("needs static or spike, or both, or silence; `spike: {}` takes the detector's defaults")
        if len(set(self.dimension)) != len(self.dimension):
            problems.append(f"dimension {self.dimension} names a field twice")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def counted(self) -> frozenset[str]:
        """The fields of the counts that this rule reads: those of `dimension` and of `where`."""
        return frozenset(self.dimension) | self.where.keys()

    def matches(self, dimensions: Mapping[str, str]) -> bool:
        """True if the rule evaluates counts of these dimension values."""
        return dimensions.keys() == self.counted and all(
            values.match(dimensions.get(name)) for name, values in self.where.items()
        )

    def series_of(self, dimensions: Mapping[str, str]) -> dict[str, str]:
        """The dimension values of the series to which a matching count belongs: those of the fields in `dimension`."""
        return {name: dimensions[name] for name in self.dimension}

    @property
    def series(self) -> tuple[object, ...]:
        """Everything that determines what the rule counts: two rules with equal values count the same.

        A stored baseline is used only if this is unchanged.
        """
        filters = {name: (values.in_, values.not_in) for name, values in sorted(self.where.items())}
        counted = (sorted(self.dimension), str(filters))
        return counted if self.silence is None else (*counted, "all records")

    @property
    def budget(self) -> Budget | None:
        """The rule's budget of false alerts; None for fixed thresholds."""
        if self.silence is not None:
            return self.silence.budget
        return None if self.spike is None else self.spike.budget

    @property
    def quiet_steps(self) -> int:
        """Number of steps without firing that resolve an alert: `resolve_after`.

        Unless set, it is one for a rule that fires when records stop arriving: the first record resolves it.
        """
        given = "resolve_after" in self.model_fields_set
        return self.resolve_after if self.silence is None or given else 1


class RuleFile(_Strict):
    """The content of a rule file: the rules and the settings that they share."""

    version: Literal[1]
    zone: str = "UTC"
    runbooks: dict[str, Annotated[str, Field(pattern=r"^https?://")]] = Field(
        {}, description="By intent: what to do first; goes before a rule's own"
    )
    all_mutes: bool = Field(False, description="Whether a firing rule on [] mutes the others of its group")
    rules: Annotated[list[Rule], Field(min_length=1)]

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        return known_zone(zone)


class AlertRules:
    """The active alert rules, by name."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        runbooks: Mapping[str, str] | None = None,
        zone: str = "UTC",
        all_mutes: bool = False,
    ) -> None:
        self.rules = tuple(rules)
        self.all_mutes = all_mutes
        self._runbooks = dict(runbooks or {})
        self._zone = zone
        self._by_name = {rule.name: rule for rule in rules}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AlertRules) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    def get(self, name: str) -> Rule | None:
        return self._by_name.get(name)

    def matches_any(self, dimensions: Mapping[str, str]) -> bool:
        """True if any rule evaluates counts of these dimension values."""
        return any(rule.matches(dimensions) for rule in self.rules)

    def spike_settings(self, rule: Rule) -> SpikeSettings | None:
        """The rule's detector settings, with its time zone; None for a rule with only a static threshold.

        A silence rule gets settings for a detector that learns the number of all records and never fires.
        """
        silence = rule.silence
        if silence is not None:
            return SpikeSettings(
                zone=rule.zone or self._zone,
                z_count=_NEVER,
                z_ratio=0,
                heavy_tail=False,
                learning_days=silence.learning_days,
                learning_windows=silence.learning_windows,
            )
        if rule.spike is None:
            return None
        return rule.spike.model_copy(update={"zone": rule.zone or self._zone})

    def runbook(self, rule: Rule | None, dimensions: Mapping[str, str]) -> str | None:
        """URL of the runbook for the intent in `dimensions`, else that of the rule; None if there is neither."""
        return self._runbooks.get(dimensions.get("intent", "")) or (rule.runbook if rule else None)

    @property
    def longest_window_ms(self) -> int:
        return max(rule.window_s for rule in self.rules) * 1000


def known_zone(zone: str) -> str:
    """Return the name of a time zone unchanged. Raises ValueError if it is not an IANA time zone."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{zone!r} is not an IANA time zone such as Europe/Berlin") from error
    return zone
