"""Loads presets.yaml: the column names, time formats and encodings of known sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import yaml

from triage.clock import zone_named
from triage.errors import ConfigError
from triage.schemas.event_time import TimeForm
from triage.types import Channel


@dataclass(frozen=True)
class Preset:
    """The format of the files that a known source exports.

    `columns` maps each raw field to the possible names of its column; the first of the list that is present is used.
    """

    name: str
    title: str
    source: str
    channel: Channel
    columns: Mapping[str, Sequence[str]]
    time_zone: str | None = None
    time_formats: Sequence[str] = field(default_factory=list)
    encoding: str | None = None
    delimiter: str | None = None

    def time_form(self, given: TimeForm | None) -> TimeForm | None:
        """Return the form of times in the files; a zone or formats in `given`, the user's, replace the preset's.

        None if neither specifies any.
        """
        zone = (given and given.zone) or (zone_named(self.time_zone) if self.time_zone else None)
        formats = (given and given.formats) or tuple(self.time_formats)
        return TimeForm(zone, formats) if zone or formats else None


@cache
def presets() -> Mapping[str, Preset]:
    """Load all presets; returns them by name."""
    data = yaml.safe_load(files("triage.sources").joinpath("presets.yaml").read_text("utf-8"))
    return {
        name: Preset(name=name, **{"source": name} | entry | {"channel": Channel(entry["channel"])})
        for name, entry in data.items()
    }


def preset_named(name: str | None) -> Preset | None:
    """The preset of this name; None if `name` is None.

    Raises ConfigError, which lists all names, for an unknown one.
    """
    if name is None:
        return None
    if (found := presets().get(name.lower())) is None:
        raise ConfigError(f"--preset {name!r} is not known; there are: {', '.join(presets())}")
    return found
