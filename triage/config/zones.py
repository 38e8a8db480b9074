"""The type of settings that name a time zone."""

from typing import Annotated

from pydantic import AfterValidator

from triage.clock import zone_named


def _check_zone(name: str) -> str:
    zone_named(name)
    return name


ZoneName = Annotated[str, AfterValidator(_check_zone)]
