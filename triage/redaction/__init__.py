"""Personal data out of texts, attributes and dead letters; entities by rule. See docs/redaction.md."""

from triage.config import Settings
from triage.errors import ConfigError
from triage.redaction.kinds import KINDS, Kind
from triage.redaction.redactor import Redacted, Redactor

__all__ = ["KINDS", "Kind", "Redacted", "Redactor", "check"]


def check(settings: Settings) -> list[str]:
    """Problems of the section `redaction` that need more than its types; [] if none."""
    try:
        Redactor(settings.redaction)
    except ConfigError as error:
        return error.problems
    return []
