"""Opens the operator's own intents for commands that enrich records, where `intents.enrich` asks for it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.config import Settings
    from triage.pipeline.stages.enrich import OwnIntents


def own_intents(settings: "Settings") -> "OwnIntents | None":
    """Return a function that finds own intents in texts; None unless `intents.enrich` is on and intents were added.

    Only then the sentence encoder is loaded. Raises ConfigError for a file that cannot be read or a missing encoder,
    ModelError for a damaged one.
    """
    if not settings.intents.enrich:
        return None
    from triage.assist.own_intents.matching import build_matcher

    return build_matcher(settings)
