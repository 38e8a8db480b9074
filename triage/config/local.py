"""Settings of the local stack, the simulated clock and the logs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from triage.clock import Clock, ScaledClock, SystemClock
from triage.config.section import Section


class LocalSettings(Section):
    """Settings of the local stack of `triage local` and `triage demo`."""

    data_dir: Path = Field(Path(".triage/local"), description="Data of the local Kafka and Elasticsearch")
    kafka_port: int = Field(
        9092, ge=0, le=65_535, description="Port of the local Kafka; 0, or a port that is in use: a free one is chosen"
    )
    elasticsearch_port: int = Field(
        9200, ge=0, le=65_535, description="Port of the local Elasticsearch; a free one is chosen likewise"
    )


class ClockSettings(Section):
    """Settings of a simulated clock, for demos: at the real time `anchor` it shows `origin`.

    Without `origin` the real time is used.
    """

    origin: datetime | None = Field(None, description="Simulated time at `anchor`")
    anchor: datetime | None = Field(None, description="Real time at which the simulation begins")
    until: datetime | None = Field(None, description="Simulated time from which on it runs at real speed")
    speed: float = Field(1.0, gt=0, le=1e6, description="Simulated seconds per real second")

    @model_validator(mode="after")
    def _whole(self) -> "ClockSettings":
        if (self.origin is None) != (self.anchor is None):
            raise ValueError("origin and anchor must be set together")
        return self

    def build(self) -> Clock:
        if self.origin is None or self.anchor is None:
            return SystemClock()
        return ScaledClock(_utc(self.origin), _utc(self.anchor), self.speed, self.until and _utc(self.until))


class LoggingSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least level that is logged")
    format: Literal["auto", "console", "json"] = Field(
        "auto", description="Format of the log lines; auto: console on a terminal, else json"
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
