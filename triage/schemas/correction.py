"""What a person says about a record's labels: in the index of corrections, read by `train --with-corrections`."""

import msgspec

from triage.schemas.enriched import EnrichedRecord
from triage.types import Channel


class Judged(msgspec.Struct, frozen=True):
    """What the model had said when the person looked, and how sure it was."""

    intent: str
    intent_confidence: float
    sentiment: str
    sentiment_confidence: float
    model: str
    taxonomy: str


class Correction(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The right labels of one record; the same as the model's confirm them. `_id` is `record`: the last one stands.

    `intent` and `sentiment` are null where the person did not judge them. The text and its author's hash are copied
    (redacted, as indexed), so that the correction outlives the record's daily index and can still be forgotten.
    """

    record: str
    corrected_at: str
    actor: str
    text: str
    language: str
    channel: Channel
    recorded_at: str
    judged: Judged
    intent: str | None = None
    sentiment: str | None = None
    changed: bool = False
    comment: str = ""
    author_id: str | None = None


def correction_of(
    record_id: str,
    record: EnrichedRecord,
    *,
    actor: str,
    corrected_at: str,
    intent: str | None,
    sentiment: str | None,
    comment: str = "",
) -> Correction:
    """The correction of an indexed record; `changed` says whether a label differs from the model's."""
    changed = (intent is not None and intent != record.intent.label) or (
        sentiment is not None and sentiment != record.sentiment.label
    )
    return Correction(
        record=record_id,
        corrected_at=corrected_at,
        actor=actor,
        text=record.text,
        language=record.language,
        channel=record.channel,
        recorded_at=record.timestamp,
        judged=Judged(
            intent=record.intent.label,
            intent_confidence=record.intent.confidence,
            sentiment=record.sentiment.label,
            sentiment_confidence=record.sentiment.confidence,
            model=record.versions.model,
            taxonomy=record.versions.taxonomy,
        ),
        intent=intent,
        sentiment=sentiment,
        changed=changed,
        comment=comment,
        author_id=record.author_id,
    )
