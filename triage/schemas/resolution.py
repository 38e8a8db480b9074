"""Resolutions: how a record was answered and how that ended, in the topic and, joined to the record, in the index."""

from datetime import UTC, tzinfo

import msgspec

from triage.clock import rfc3339
from triage.errors import InvalidRecord
from triage.schemas.event_time import event_time_ms

MOST_ANSWER_CHARS = 20_000
_MOST_NAME_CHARS = 100
_MOST_CHARS = {
    "answer": MOST_ANSWER_CHARS,
    "text": MOST_ANSWER_CHARS,
    **dict.fromkeys(("outcome", "resolution", "record", "actor", "intent", "language"), _MOST_NAME_CHARS),
}
SOLVED = frozenset({"solved", "refunded", "replaced", "closed", "resolved"})
"""Outcomes that ended a case; all others, as reopened or escalated, did not."""


class Resolution(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A message of the topic `resolutions`, keyed by `record`, the `_id` of the record's document.

    `resolution` is the kind of answer (`refund`, `voucher`), by which cases are counted; `answer` is what was written
    (redacted), `outcome` how it ended: solved, reopened, escalated, or another word. For tickets of the time before
    triage, whose records no index has, `text`, `intent` and `language` are those of the ticket.
    """

    record: str
    answer: str
    outcome: str
    at: str
    resolution: str = ""
    actor: str = ""
    text: str = ""
    intent: str = ""
    language: str = ""


class Case(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A resolution with the text and labels of its record, as indexed; `_id` is `record`.

    The text is a copy, so that the case outlives the record's daily index and can still be erased by `author_id`.
    """

    record: str
    answer: str
    resolution: str
    outcome: str
    ended: bool
    at: str
    text: str
    language: str
    channel: str
    intent: str
    sentiment: str
    recorded_at: str
    product: str | None = None
    brand: str | None = None
    author_id: str | None = None
    actor: str = ""
    encoder: str | None = None
    vector: list[float] | None = None


def check_resolution(found: Resolution, now_ms: int, zone: tzinfo = UTC) -> Resolution:
    """Return the resolution with trimmed fields; a missing `at`, or one after `now_ms`, becomes `now_ms`.

    A time without an offset is in `zone`. Raises InvalidRecord, naming the field, if a field is missing, too long or
    not a time.
    """
    for name in ("record", "answer", "outcome"):
        if not getattr(found, name).strip():
            raise InvalidRecord(f"missing_{name}", f"{name} is missing", stage="decode", field=name)
    for name, most in _MOST_CHARS.items():
        if (length := len(getattr(found, name))) > most:
            said = f"{name} has {length} characters; {most} at most"
            raise InvalidRecord(f"long_{name}", said, stage="decode", field=name)
    try:
        given_ms = event_time_ms(found.at, zone)
    except InvalidRecord as invalid:
        said = str(invalid).replace("created_at", "at", 1)
        raise InvalidRecord("bad_time", said, stage="decode", field="at") from None
    at_ms = now_ms if given_ms is None else given_ms
    return Resolution(
        record=found.record.strip(),
        answer=found.answer.strip(),
        outcome=found.outcome.strip().lower(),
        at=rfc3339(min(at_ms, now_ms)),
        resolution=found.resolution.strip().lower(),
        actor=found.actor.strip(),
        text=found.text.strip(),
        intent=found.intent.strip(),
        language=found.language.strip().lower(),
    )
