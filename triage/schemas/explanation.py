"""Explanation of a record's labels: printed by `triage enrich --explain`, never indexed."""

import msgspec

from triage.schemas.enriched import EnrichedRecord


class Word(msgspec.Struct, frozen=True):
    """A word and how much it speaks for a label.

    `record.text[start:end]`, in code points. Without the word, the label's probability would be lower by `weight`.

    In a text of several clauses, `weight` is the mean over the whole text and the word's clause alone. A negative
    weight counts against the label.
    """

    text: str
    start: int
    end: int
    weight: float


class HeadExplanation(msgspec.Struct, frozen=True):
    """The words that support one label, strongest first. `confidence` is the probability with all words present."""

    label: str
    confidence: float
    words: list[Word]


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One condition of a rule and the value that met it; `text`, `start` and `end` if it is in the record's text."""

    condition: str
    value: str
    text: str | None = None
    start: int | None = None
    end: int | None = None


class RuleExplanation(msgspec.Struct, frozen=True):
    """A rule that fired: its part of the file, its effect, and evidence for each condition that held."""

    rule: str
    part: str  # severity or routing
    effect: str
    evidence: list[Evidence]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Reasons for the labels of a record.

    `method` is the method by which the weights of words were computed.
    """

    method: str = "occlusion"
    intent: HeadExplanation
    sentiment: HeadExplanation
    rules: list[RuleExplanation]


class ExplainedRecord(EnrichedRecord, kw_only=True, omit_defaults=True):
    """An enriched record with its explanation."""

    explanation: Explanation
