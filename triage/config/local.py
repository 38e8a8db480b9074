"""The local stack, the simulated clock and the logs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from triage.clock import Clock, ScaledClock, SystemClock
from triage.config.section import Section


class LocalSettings(Section):
    data_dir: Path = Field(Path(".triage/local"), description="Data of the local Kafka and Elasticsearch")
    kafka_port: int = Field(9092, ge=0, le=65_535, description="0, or a taken port: a free one is chosen")
    elasticsearch_port: int = Field(9200, ge=0, le=65_535)


class ClockSettings(Section):
    """A simulated clock for demos: real time when `speed` is 1 and `origin` is unset."""

    origin: datetime | None = None
    anchor: datetime | None = None
    until: datetime | None = None
    speed: float = Field(1.0, gt=0, le=1e6)

    @model_validator(mode="after")
    def _whole(self) -> "ClockSettings":
        if (self.origin is None) != (self.anchor is None):
            raise ValueError("origin and anchor go together")
        return self

    def build(self) -> Clock:
        if self.origin is None or self.anchor is None:
            return SystemClock()
        return ScaledClock(_utc(self.origin), _utc(self.anchor), self.speed, self.until and _utc(self.until))


class LoggingSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["auto", "console", "json"] = "auto"


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
