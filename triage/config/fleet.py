"""Settings of the fleet view: where `triage top` and the console's page Fleet look for processes."""

import re

from pydantic import Field, field_validator

from triage.config.section import Section

_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}$")


class FleetSettings(Section):
    """Settings of the fleet view.

    Processes are found through their consumer groups, at the member's host and `worker.health_port` or
    `alerting.health_port`. Processes on other ports have to be listed here.
    """

    processes: list[str] = Field(
        [],
        description="Further processes to watch, as host:port of their /metrics; a host name means all its addresses",
    )
    timeout_s: float = Field(2, gt=0, le=60, description="Timeout of a request to a process")

    @field_validator("processes")
    @classmethod
    def _are_addresses(cls, given: list[str]) -> list[str]:
        if wrong := [each for each in given if not _ADDRESS.match(each)]:
            raise ValueError(f"not host:port: {', '.join(map(repr, wrong))}")
        return given
