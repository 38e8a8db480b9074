"""Reads what a customer writes for `triage chat` and `triage playbooks replay`: by the model, or by rules alone."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triage.assist.conversations.facts import TurnFacts
    from triage.clock import Clock
    from triage.config import Settings


def reader(settings: "Settings", clock: "Clock", *, with_model: bool) -> "Callable[[str], TurnFacts]":
    """Return a function that finds intent, sentiment, entities and rules of a text, by the model or by rules alone.

    Raises ModelError for a model that can't be loaded.
    """
    from triage.assist.conversations.facts import facts_by_rules, facts_of_turn
    from triage.redaction import Redactor

    if not with_model:
        redactor = Redactor(settings.redaction)
        return lambda text: facts_by_rules(text, redactor)
    from triage.pipeline.assemble import build_enricher
    from triage.pipeline.batch import ValidatedRecord
    from triage.schemas.raw import RawRecord
    from triage.types import Channel

    enricher = build_enricher(settings, clock)

    def read(text: str) -> "TurnFacts":
        record = ValidatedRecord(RawRecord(text=text), Channel.COMPLAINT, clock.now_ms(), "turn")
        return facts_of_turn(enricher.enrich([record])[0].record)

    return read
