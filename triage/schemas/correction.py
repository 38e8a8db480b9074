"""A user's correction of a record's labels, in the index of corrections; `train --with-corrections` reads it."""

import msgspec

from triage.schemas.enriched import EnrichedRecord
from triage.types import Channel


class ModelLabels(msgspec.Struct, frozen=True):
    """The model's labels and confidences at the time of the correction."""

    intent: str
    intent_confidence: float
    sentiment: str
    sentiment_confidence: float
    model: str
    taxonomy: str


class Correction(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The labels that a user gave to one record; labels equal to the model's confirm them.

    `_id` is `record`, so a later correction replaces an earlier one. `intent` and `sentiment` are null if the user did
    not label them. The text (redacted, as indexed) and its author's hash are copied, so that the correction outlives
    the record's daily index and can still be erased.
    """

    record: str
    corrected_at: str
    actor: str
    text: str
    language: str
    channel: Channel
    recorded_at: str
    judged: ModelLabels
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
    """Create the correction of an indexed record; `changed` is true if a label differs from the model's.

    `actor` is the user, `corrected_at` an RFC 3339 time; None as `intent` or `sentiment` means not labelled.
    """
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
        judged=ModelLabels(
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
