"""Redacts personal data in texts, attributes and dead letters, and finds entities by rules; see docs/redaction.md."""

from triage.config import Settings
from triage.errors import ConfigError
from triage.redaction.kinds import KINDS, Kind
from triage.redaction.redactor import Redacted, Redactor

__all__ = ["KINDS", "Kind", "Redacted", "Redactor", "check"]


def check(settings: Settings) -> list[str]:
    """List problems of the settings `redaction` that their types do not exclude, as messages; [] if there are none."""
    try:
        Redactor(settings.redaction)
    except ConfigError as error:
        return error.problems
    return []
