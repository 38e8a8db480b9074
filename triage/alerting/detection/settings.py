"""Settings of the spike detector.

One set serves steps from minutes to weeks; docs/alerts.md explains how it was chosen.
"""

from datetime import date
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from triage.alerting.detection.budget import Budget, parse_budget


class SpikeSettings(BaseModel):
    """Options of `spike` in an alert rule.

    Half-lives are in days, and are at least as long as the number of windows given with them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    false_alerts: str = Field(
        "0.005 a week per key",
        description="Accepted false alerts: 1 a week, 2 a month (of all keys of the rule), 0.005 a week per key",
    )
    z_count: float | None = Field(
        None, gt=0, le=30, description="Fixed score above which a count is a spike, instead of false_alerts"
    )
    z_ratio: float = Field(3.0, ge=0, le=30, description="Score that their share of all records must pass too; 0: off")
    min_count: int = Field(3, ge=1, description="A sum of fewer negatives never fires")
    seasons: bool = Field(True, description="Learn hour of day and of week (steps of a day or more: of the year)")
    zone: str = Field("UTC", description="IANA time zone that the seasons follow")
    holidays: tuple[date, ...] = Field(
        (), description="Days that are treated as Sundays and are not learned by the seasons"
    )
    learning_days: float = Field(1.0, ge=0, description="A key younger than this is learning: its score is 0")
    learning_windows: int = Field(24, ge=1, description="... and younger than this many windows")
    delay_windows: int = Field(6, ge=1, le=48, description="The baseline learns a window this many windows late")
    accept_windows: int = Field(48, ge=6, description="Windows in a row off the baseline after which the level is new")
    accept_days: float = Field(1.0, ge=0, description="... and at least this long")
    level_days: float = Field(14.0, gt=0, description="Half-life of the level")
    level_windows: int = Field(40, ge=1, description="... at least this many windows")
    spread_days: float = Field(21.0, gt=0, description="Half-life of the dispersion")
    spread_windows: int = Field(800, ge=1, description="... at least this many windows")
    heavy_tail: bool = Field(True, description="Recalibrate scores of keys whose counts have heavy tails")

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{zone!r} is not an IANA time zone such as Europe/Berlin") from error
        return zone

    @field_validator("false_alerts")
    @classmethod
    def _budget(cls, text: str) -> str:
        parse_budget(text)
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.z_count is not None and "false_alerts" in self.model_fields_set:
            raise ValueError("takes either false_alerts or z_count; z_count is a fixed score, whatever the traffic")
        if self.accept_windows <= self.delay_windows:
            raise ValueError("accept_windows must be larger than delay_windows")
        return self

    @property
    def budget(self) -> Budget | None:
        """The budget of false alerts; None if a fixed score, `z_count`, is set instead."""
        return None if self.z_count is not None else parse_budget(self.false_alerts)
