"""Types shared by several packages."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec


class Channel(StrEnum):
    """Channel by which feedback arrived.

    The Kafka topic determines it, or in files a field or a command-line option.
    """

    COMPLAINT = "complaint"
    REVIEW = "review"
    SOCIAL = "social"


class SentimentLabel(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class SeverityLevel(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RiskLabel(StrEnum):
    """Kinds of risk that a text may report; a text may have several, and most have none."""

    DANGER = "danger"  # people were harmed by goods or service, or may be
    SELF_HARM = "self_harm"
    LEGAL_THREAT = "legal_threat"  # of law, regulator, police or press
    FRAUD = "fraud"  # somebody else uses the money or the account
    CHURN_THREAT = "churn_threat"


class Flag(StrEnum):
    """Remarks on an enriched record and its processing, such as a truncated text."""

    TRUNCATED = "truncated"
    LOW_CONFIDENCE = "low_confidence"
    UNKNOWN_LANGUAGE = "unknown_language"
    REDACTED = "redacted"
    ATTRIBUTES_DROPPED = "attributes_dropped"
    ENTITIES_DROPPED = "entities_dropped"
    QUOTED = "quoted"
    AUTOMATIC = "automatic"
    NO_TEXT = "no_text"
    TIME_IMPLAUSIBLE = "time_implausible"


class Position(NamedTuple):
    """Position of a record in Kafka; as text `topic/partition/offset`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class TextParts(msgspec.Struct, frozen=True):
    """Parts of a text as (start, end) in Unicode code points, in order and not overlapping; `end` is exclusive."""

    ranges: tuple[tuple[int, int], ...]

    def are_all_of(self, text: str) -> bool:
        return self.ranges == ((0, len(text)),)

    def joined(self, text: str) -> str:
        """Return the parts of `text`, joined to one text and separated by empty lines."""
        if len(self.ranges) == 1:
            start, end = self.ranges[0]
            return text[start:end]
        return _JOINT.join(text[start:end] for start, end in self.ranges)

    def masked(self, text: str) -> str:
        """Replace everything in `text` outside the parts by spaces, so that offsets stay the same."""
        ends = [0, *(end for _, end in self.ranges)]
        kept = [
            " " * (start - before) + text[start:end] for before, (start, end) in zip(ends, self.ranges, strict=False)
        ]
        return "".join(kept) + " " * (len(text) - ends[-1])

    def original(self, offset: int) -> int:
        """Map an offset in the result of `joined` to one in the text; in a separator, to the end of the part before."""
        for start, end in self.ranges:
            if offset <= end - start:
                return start + offset
            offset = max(0, offset - (end - start) - len(_JOINT))
        return self.ranges[-1][1]


_JOINT = "\n\n"


@dataclass(frozen=True, slots=True)
class Span:
    """An entity found in a text, from `start` to `end` (exclusive) in Unicode code points."""

    start: int
    end: int
    label: str
    confidence: float
    source: str  # "model" or "rule"


@dataclass(frozen=True, slots=True)
class Aspect:
    """A topic that a text mentions besides its intent; `confidence` is the probability (0 to 1) of the mention."""

    label: str
    polarity: str  # negative, neutral, positive
    confidence: float


@dataclass(frozen=True, slots=True)
class Risk:
    """A risk that a text reports; `confidence` is its probability (0 to 1), at least the threshold of its label."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The model's output for one text. Probabilities are calibrated (temperature applied)."""

    intents: list[tuple[str, float]]  # by probability, descending; all labels or the first few
    sentiment: dict[str, float]  # negative, neutral, positive: sums to 1
    spans: list[Span] = field(default_factory=list)  # by start, not overlapping
    truncated: bool = False
    low_confidence: bool = False
    aspects: list[Aspect] = field(default_factory=list)  # by confidence, descending; empty without that head
    risks: list[Risk] = field(default_factory=list)  # likewise


class Model(Protocol):
    """A loaded model: thread-safe, warmed up, identified by name and version."""

    @property
    def version(self) -> str:
        """The model as `name@version`, which every enriched record contains."""
        ...

    @property
    def taxonomy(self) -> str:
        """Version of the label set that the model predicts."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """Primary language codes that the model was trained on; others are flagged unknown_language."""
        ...

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Classify texts; returns one prediction per text, in order. Blocks. Raises ModelError if the runtime fails."""
        ...
