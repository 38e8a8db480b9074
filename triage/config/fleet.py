"""Where `triage top` and the console's page Fleet find the processes."""

import re

from pydantic import Field, field_validator

from triage.config.section import Section

_ADDRESS = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}$")


class FleetSettings(Section):
    """Processes are found by their consumer groups: the member's host, and `worker.health_port` or
    `alerting.health_port`. Those that have other ports are named here."""

    processes: list[str] = Field(
        [], description="host:port of further /metrics; a name with several addresses means all of them"
    )
    timeout_s: float = Field(2, gt=0, le=60, description="How long one process may take to answer")

    @field_validator("processes")
    @classmethod
    def _are_addresses(cls, given: list[str]) -> list[str]:
        if wrong := [each for each in given if not _ADDRESS.match(each)]:
            raise ValueError(f"no host:port: {', '.join(map(repr, wrong))}")
        return given
