"""Shell completion of option values; each function returns the values that begin with `incomplete`.

A completion must not fail, wait for a server, or load a large library.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum

Completer = Callable[[str], list[str]]


def named(values: type[StrEnum]) -> Completer:
    """Create a completion function for the members of an enumeration."""

    def complete(incomplete: str) -> list[str]:
        return _beginning(incomplete, [each.value for each in values])

    return complete


def tap_topics(incomplete: str) -> list[str]:
    return _beginning(
        incomplete, ["enriched", "raw", "complaints", "reviews", "social", "dead-letter", "alerts", "counts"]
    )


def intents(incomplete: str) -> list[str]:
    """Complete the intents of the serving model; none if its manifest cannot be read."""
    try:
        from triage.config import load_settings
        from triage.inference.manifest import read_manifest
        from triage.inference.registry import find_folder

        found = read_manifest(find_folder(load_settings().model)).intents
    except Exception:  # noqa: BLE001 - a shell shows no messages during completion
        return []
    return _beginning(incomplete, found)


def models(incomplete: str) -> list[str]:
    """Complete the names of the model folders in the registry; none if it cannot be read."""
    try:
        from triage.config import load_settings
        from triage.inference.registry import model_folders, registry_folder

        found = sorted(model_folders(registry_folder(load_settings().model)))
    except Exception:  # noqa: BLE001
        return []
    return _beginning(incomplete, found)


def alert_rules(incomplete: str) -> list[str]:
    """Complete the names of the configured alert rules; none if they cannot be read."""
    try:
        from triage.alerting.rules.loader import load_alert_rules
        from triage.config import load_settings

        found = [rule.name for rule in load_alert_rules(load_settings().alerting).rules]
    except Exception:  # noqa: BLE001
        return []
    return _beginning(incomplete, found)


def _beginning(incomplete: str, values: Iterable[str]) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
