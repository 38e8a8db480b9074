"""Checks of an installation for `triage doctor`: contacts everything that the settings name, and changes nothing."""

from triage.doctor.examination import examine
from triage.doctor.finding import Finding, State

__all__ = ["Finding", "State", "examine"]
