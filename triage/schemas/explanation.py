"""The explanation of a record's labels, as `triage enrich --explain` prints it; it is never indexed."""

import msgspec

from triage.schemas.enriched import EnrichedRecord


class Word(msgspec.Struct, frozen=True):
    """A word of the text, and how much it contributes to a label.

    The word is `record.text[start:end]`, in code points. Without it, the label's probability would be lower by
    `weight`; a negative weight counts against the label.

    In a text of several clauses, `weight` is the mean of two values: one computed in the whole text, one in the word's
    clause alone.
    """

    text: str
    start: int
    end: int
    weight: float


class HeadExplanation(msgspec.Struct, frozen=True):
    """The explanation of one label: the words that support it, strongest first.

    `confidence` is the label's probability for the complete text.
    """

    label: str
    confidence: float
    words: list[Word]


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One condition of a rule, and the value of the record that met it.

    `text`, `start` and `end` (in code points) are set if the value is a part of the record's text.
    """

    condition: str
    value: str
    text: str | None = None
    start: int | None = None
    end: int | None = None


class RuleExplanation(msgspec.Struct, frozen=True):
    """A rule that matched a record, its effect, and evidence for each condition that was met.

    `part` is the section of the rules file that contains it: severity or routing. `effect` is what the rule sets.
    """

    rule: str
    part: str  # severity or routing
    effect: str
    evidence: list[Evidence]


class RiskReason(msgspec.Struct, frozen=True):
    """A term of the text or a label (`what`), and the `weight` that it adds to the log-odds of a risk score."""

    what: str
    weight: float


class RiskExplanation(msgspec.Struct, frozen=True):
    """The reasons of one risk score, strongest first. `notice` says that it never decides about a person."""

    name: str
    probability: float
    reasons: list[RiskReason]
    notice: str


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The reasons for a record's intent, sentiment, severity, route and risk scores.

    `method` is the method by which the weights of words were computed.
    """

    method: str = "occlusion"
    intent: HeadExplanation
    sentiment: HeadExplanation
    rules: list[RuleExplanation]
    risk_scores: list[RiskExplanation] = []


class ExplainedRecord(EnrichedRecord, kw_only=True, omit_defaults=True):
    """An enriched record with the reasons for its labels, severity, route and risk scores."""

    explanation: Explanation
