"""The enriched record, as stored in Elasticsearch, sent to `feedback.enriched` and printed by `triage enrich`."""

import hashlib

import msgspec

from triage.schemas.raw import Scalar
from triage.types import Channel, Flag, Position, TextParts


class Event(msgspec.Struct):
    id: str
    ingested: str


class Sentiment(msgspec.Struct):
    """Sentiment of a record: the most probable label, and its probability as `confidence`.

    `score` = p(positive) - p(negative), from -1 to 1.
    """

    label: str
    score: float
    confidence: float


class IntentScore(msgspec.Struct):
    label: str
    confidence: float


class Intent(msgspec.Struct):
    label: str
    confidence: float
    top: list[IntentScore]


class Entity(msgspec.Struct):
    """A name or another entity in a record's text.

    `text` is `record.text[start:end]` in Unicode code points; `source` is model or rule.
    """

    text: str
    label: str
    start: int
    end: int
    confidence: float
    source: str


class Aspect(msgspec.Struct):
    """A topic that the text mentions besides its intent, and its polarity. `pair` is `label:polarity`, for charts."""

    label: str
    polarity: str
    confidence: float
    pair: str


class Risk(msgspec.Struct):
    """A risk that the text reports: danger, self_harm, legal_threat, fraud or churn_threat; probability 0 to 1."""

    label: str
    confidence: float


class RiskScore(msgspec.Struct):
    """Estimated probability, 0 to 1, of an outcome that the operator defined; never a decision about a person.

    `level` is low, medium or high; `pair` is `name:level`, for filters; `version` that of the fitted model.
    """

    name: str
    probability: float
    level: str
    pair: str
    version: str


class OwnIntent(msgspec.Struct):
    """An intent that the operator added by examples, and how much the text resembles them, as its cosine margin.

    `margin` is the similarity less the fitted limit, 0 or more; `version` that of the operator's intents.
    """

    label: str
    margin: float
    version: str


class Severity(msgspec.Struct):
    level: str
    rules: list[str]


class Route(msgspec.Struct):
    queue: str
    rules: list[str]


class Versions(msgspec.Struct):
    pipeline: str
    model: str
    rules: str
    taxonomy: str


class TextRange(msgspec.Struct):
    """A part of a record's text: `record.text[start:end]`, in Unicode code points."""

    start: int
    end: int


class EnrichedRecord(msgspec.Struct, kw_only=True, omit_defaults=True):
    timestamp: str = msgspec.field(name="@timestamp")
    event: Event
    channel: Channel
    text: str
    language: str
    sentiment: Sentiment
    intent: Intent
    entities: list[Entity]
    severity: Severity
    route: Route
    flags: list[str]
    versions: Versions
    source: str | None = None
    author_id: str | None = None
    brand: str | None = None
    product: str | None = None
    region: str | None = None
    url: str | None = None
    rating: float | None = None
    attributes: dict[str, Scalar] = {}
    aspects: list[Aspect] = []
    risks: list[Risk] = []
    risk_scores: list[RiskScore] = []
    own_intents: list[OwnIntent] = []
    body: TextRange | list[TextRange] | None = None
    """The classified part of the text, a list if answers are between quotes; None: the whole text."""

    @property
    def parts(self) -> TextParts:
        """The parts of the record's text that the model classified."""
        if self.body is None:
            return TextParts(((0, len(self.text)),))
        ranges = self.body if isinstance(self.body, list) else [self.body]
        return TextParts(tuple((part.start, part.end) for part in ranges))

    @property
    def written(self) -> bool:
        """True if a person wrote the text; False for automatic messages and for records without text."""
        return Flag.AUTOMATIC not in self.flags and Flag.NO_TEXT not in self.flags


def document_id(
    channel: Channel, source: str | None, source_id: str | None, position: Position | None, broker_ms: int = 0
) -> str:
    """Return the `_id` of a record's document in Elasticsearch: SHA-256 (hex) of channel, source and the source's id.

    If `source_id` is None, it is computed from channel, Kafka position and the broker's timestamp: a topic that was
    deleted and created again reuses its positions. The parts are joined as a JSON array, so that no names can make two
    records collide.
    """
    if source_id is not None:
        return hashlib.sha256(msgspec.json.encode([channel, source or "", source_id])).hexdigest()
    return hashlib.sha256(msgspec.json.encode([channel, *(position or ("", 0, 0)), broker_ms])).hexdigest()


def record_key(channel: Channel, source: str | None, source_id: str | None) -> bytes | None:
    """Return the Kafka key of a raw message: the `_id` of its record, so that its versions stay in order.

    Messages with one key reach one partition. None if the source gave the record no id: such records are spread evenly
    over the partitions.
    """
    return None if source_id is None else document_id(channel, source, source_id, None).encode()
