"""Enriches stored documents again, from their redacted text, which is all that the model saw the first time."""

from collections.abc import Sequence

import msgspec

from triage.clock import parse_rfc3339
from triage.elastic.documents import StoredRecord
from triage.pipeline.batch import Enriched, ValidatedRecord
from triage.pipeline.stages.enrich import Enricher
from triage.rules import facts_of
from triage.schemas.raw import RawRecord
from triage.schemas.version import with_offset
from triage.types import Flag

# Flags about the raw record: they can't be derived from the stored one.
_RAW_FLAGS = (Flag.TRUNCATED, Flag.REDACTED, Flag.ATTRIBUTES_DROPPED, Flag.TIME_IMPLAUSIBLE)


def reenrich(enricher: Enricher, stored: Sequence[StoredRecord]) -> list[Enriched]:
    """Enrich stored documents with the current model and rules, in order; `_id`, times and author hash are kept."""
    enriched = enricher.enrich([_validated(item) for item in stored])
    return [_merged(enricher, item, new) for item, new in zip(stored, enriched, strict=True)]


def _validated(item: StoredRecord) -> ValidatedRecord:
    record = item.record
    raw = RawRecord(
        text=record.text,
        id=record.event.id,
        source=record.source,
        brand=record.brand,
        product=record.product,
        region=record.region,
        language=record.language,
        url=record.url,
        rating=record.rating,
        attributes=record.attributes,
    )
    event_ms = parse_rfc3339(record.timestamp)
    return ValidatedRecord(
        raw,
        record.channel,
        event_ms,
        record.event.id,
        broker_ms=item.written_ms,
        stored_version=with_offset(item.version),
    )


def _merged(enricher: Enricher, item: StoredRecord, new: Enriched) -> Enriched:
    old, record = item.record, new.record
    flags = [*dict.fromkeys([*record.flags, *(flag.value for flag in _RAW_FLAGS if flag.value in old.flags)])]
    order = list(Flag)
    record = msgspec.structs.replace(
        record, author_id=old.author_id, event=old.event, flags=sorted(flags, key=lambda flag: order.index(Flag(flag)))
    )
    record.severity, record.route = enricher.active.rules.decide(facts_of(record))
    return Enriched(record, item.id, new.validated, msgspec.json.encode(record))
