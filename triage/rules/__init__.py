"""Determines severity and routing of records by rules in YAML; see docs/rules.md."""

from collections.abc import Collection

from triage.config import Settings
from triage.errors import ConfigError
from triage.rules.engine import Decision, RuleSet
from triage.rules.facts import Facts, facts_of
from triage.rules.loader import load_rules

__all__ = ["Decision", "Facts", "RuleSet", "check", "facts_of", "load_rules"]


def check(
    settings: Settings,
    intents: Collection[str] | None = None,
    entities: Collection[str] | None = None,
    risk_scores: Collection[str] | None = None,
) -> list[str]:
    """Check the configured rules file; returns every problem with its place, [] if there are none.

    `intents` and `entities` are the labels that rules may use, `risk_scores` the names of risk models; None: any.
    """
    try:
        load_rules(settings.rules.path, intents, entities, risk_scores)
    except ConfigError as error:
        return [f"{error.where}: {problem}" for problem in error.problems]
    return []
