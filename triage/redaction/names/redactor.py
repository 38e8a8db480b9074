"""Replaces persons' names and postal addresses in enriched records, after the model's prediction.

Every part of a record that holds text is searched: the classified part, what was left out as quote, signature or
footer, and attributes of several words. A name found in one of them is replaced in all of them, including links and
keys, and the offsets of entities and of the body are adjusted. `brand` and `product` name what is sold: they are not
changed, nor are these names in the text.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import unquote

from msgspec.structs import replace

from triage.redaction.kinds import NAME_PLACEHOLDERS
from triage.redaction.names.edits import Edited, Range, outside
from triage.redaction.names.passage import PERSON, Passage, names_of
from triage.redaction.names.reading import read_all
from triage.schemas.enriched import EnrichedRecord, Entity, TextRange
from triage.schemas.raw import Scalar
from triage.types import Flag, Model, Prediction, Span

_SEVERAL_WORDS = re.compile(r"[^\W\d_]\W+[^\W\d_]|[\u3400-\u9fff]{4}")
_URL_SIGNS = re.compile(r"([/?#&=]+)")
_DIGITS = 4
_FLAG_ORDER = list(Flag)


def redact_names(
    model: Model, records: Sequence[EnrichedRecord], predictions: Sequence[Prediction]
) -> list[EnrichedRecord]:
    """Replace persons' names and postal addresses in records; the result has the same order.

    `predictions` are those of the classified part of each record, with offsets in `record.parts.joined`. The model is
    called once for all text that it has not read, and again for pieces longer than its limit. Raises ModelError if the
    runtime fails.
    """
    texts: list[tuple[str, Sequence[Range]]] = []
    for record, prediction in zip(records, predictions, strict=True):
        texts.append((record.text, _unread(record, prediction)))
        texts += [(value, [(0, len(value))]) for value in _values(record)]
    read = iter(read_all(model, texts))
    redacted = []
    for record, prediction in zip(records, predictions, strict=True):
        body = Passage(record.text, [*_in_whole_text(record, prediction.spans), *next(read)])
        redacted.append(_redacted(record, body, {value: Passage(value, next(read)) for value in _values(record)}))
    return redacted


def _unread(record: EnrichedRecord, prediction: Prediction) -> list[Range]:
    """Ranges of the text that the prediction does not cover; all of it if the model read only the beginning."""
    whole = len(record.text)
    return [(0, whole)] if prediction.truncated else outside(0, whole, record.parts.ranges)


def _values(record: EnrichedRecord) -> list[str]:
    """Attribute values of several words: a single one, `gold` or `web`, says too little to be read as a name."""
    values = (value for value in record.attributes.values() if isinstance(value, str) and _SEVERAL_WORDS.search(value))
    return list(dict.fromkeys(values))


def _in_whole_text(record: EnrichedRecord, spans: Sequence[Span]) -> list[Span]:
    original = record.parts.original
    return [Span(original(s.start), original(s.end), s.label, s.confidence, s.source) for s in spans]


def _redacted(record: EnrichedRecord, body: Passage, values: dict[str, Passage]) -> EnrichedRecord:
    sold = tuple(value for value in (record.brand, record.product) if value)
    names = names_of([body, *values.values()], sold)

    def field(value: str) -> str:
        edited = values.get(value, Passage(value)).edited(names)
        return value if edited is None else edited.text

    attributes = _unique(
        (field(key), field(value) if isinstance(value, str) else value) for key, value in record.attributes.items()
    )
    record = replace(
        record,
        attributes=attributes,
        source=record.source and field(record.source),
        region=record.region and field(record.region),
        url=record.url and _url(record.url, field),
    )
    edited = body.edited(names)
    return record if edited is None else _with_text(record, edited)


def _unique(fields: Iterable[tuple[str, Scalar]]) -> dict[str, Scalar]:
    """The fields as a mapping, in which equal keys are numbered (`[PERSON]#2`), so that none is overwritten."""
    result: dict[str, Scalar] = {}
    for key, value in fields:
        unique, count = key, 1
        while unique in result:
            count += 1
            unique = f"{key}#{count}"
        result[unique] = value
    return result


def _url(url: str, field: Callable[[str], str]) -> str:
    """The URL without names, also those in percent encoding: `/%E7%8E%8B%E5%B0%8F%E6%98%8E`."""

    def part(value: str) -> str:
        decoded = unquote(value) if "%" in value else value
        return value if decoded == value or field(decoded) == decoded else NAME_PLACEHOLDERS[PERSON]

    return "".join(part(value) for value in _URL_SIGNS.split(field(url)))


def _with_text(record: EnrichedRecord, edited: Edited) -> EnrichedRecord:
    entities = [
        *_kept_entities(record.entities, edited),
        *(
            Entity(edit.placeholder, edit.label, start, end, round(edit.confidence, _DIGITS), edit.source)
            for edit, (start, end) in edited.placed()
        ),
    ]
    flags = {*record.flags, Flag.REDACTED.value}
    return replace(
        record,
        text=edited.text,
        entities=_apart(entities),
        body=None if record.body is None else _body(record, edited),
        flags=[flag.value for flag in _FLAG_ORDER if flag.value in flags],
    )


def _kept_entities(entities: Sequence[Entity], edited: Edited) -> list[Entity]:
    """Entities at their new offsets, without those that a placeholder replaced in whole or in part.

    An entity found by a rule stays if it contains more than the placeholder: a link with a name inside.
    """
    kept = []
    for entity in entities:
        start, end = edited.moved(entity.start, entity.end)
        text = edited.text[start:end]
        if text == entity.text or (entity.source == "rule" and edited.within(entity.start, entity.end)):
            kept.append(replace(entity, text=text, start=start, end=end))
    return kept


def _apart(entities: list[Entity]) -> list[Entity]:
    """Entities sorted by start and without overlaps: of a link and the placeholder inside it, the link."""
    result: list[Entity] = []
    for entity in sorted(entities, key=lambda item: (item.start, -item.end)):
        if not result or entity.start >= result[-1].end:
            result.append(entity)
    return result


def _body(record: EnrichedRecord, edited: Edited) -> TextRange | list[TextRange]:
    ranges = [TextRange(*edited.moved(start, end)) for start, end in record.parts.ranges]
    return ranges if isinstance(record.body, list) else ranges[0]
