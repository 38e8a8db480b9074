"""Values that the shell completes; none of them may fail, wait for a server, or load anything heavy."""

from collections.abc import Callable, Iterable
from enum import StrEnum

Completer = Callable[[str], list[str]]


def named(values: type[StrEnum]) -> Completer:
    """Completes the members of an enumeration."""

    def complete(incomplete: str) -> list[str]:
        return _beginning(incomplete, [each.value for each in values])

    return complete


def tap_topics(incomplete: str) -> list[str]:
    return _beginning(
        incomplete, ["enriched", "raw", "complaints", "reviews", "social", "dead-letter", "alerts", "counts"]
    )


def intents(incomplete: str) -> list[str]:
    """Those of the model that serves, as its manifest says."""
    try:
        from triage.config import load_settings
        from triage.inference.manifest import read_manifest
        from triage.inference.registry import find_folder

        found = read_manifest(find_folder(load_settings().model)).intents
    except Exception:  # noqa: BLE001 - a shell shows no messages while it completes
        return []
    return _beginning(incomplete, found)


def models(incomplete: str) -> list[str]:
    """Model folders of the registry."""
    try:
        from triage.config import load_settings
        from triage.inference.registry import model_folders, registry_folder

        found = sorted(model_folders(registry_folder(load_settings().model)))
    except Exception:  # noqa: BLE001
        return []
    return _beginning(incomplete, found)


def alert_rules(incomplete: str) -> list[str]:
    """Names of the alert rules in force here."""
    try:
        from triage.alerting.rules.loader import load_alert_rules
        from triage.config import load_settings

        found = [rule.name for rule in load_alert_rules(load_settings().alerting).rules]
    except Exception:  # noqa: BLE001
        return []
    return _beginning(incomplete, found)


def _beginning(incomplete: str, values: Iterable[str]) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
