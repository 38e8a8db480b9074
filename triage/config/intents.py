"""Settings of intents that the operator adds by examples."""

from pathlib import Path

from pydantic import Field

from triage.config.section import Section


class IntentsSettings(Section):
    """Intents that you add by a few examples, next to those of the model (docs/own-intents.md)."""

    path: Path = Field(
        Path(".triage/own-intents.npz"), description="File of your own intents; `triage intents add` writes it"
    )
    enrich: bool = Field(
        False,
        description="Look for your own intents in everything that is enriched: costs the worker one more model call "
        "per text (docs/own-intents.md); false: only on demand",
    )
