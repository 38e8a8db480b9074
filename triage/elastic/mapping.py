"""Derives index mappings from record types, so that structs and indices cannot diverge."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from triage.schemas.alert import Alert
from triage.schemas.conversation import Conversation
from triage.schemas.correction import Correction
from triage.schemas.enriched import EnrichedRecord

JsonObject = dict[str, Any]

_KEYWORD: JsonObject = {"type": "keyword", "ignore_above": 1024}
DATE: JsonObject = {"type": "date", "format": "strict_date_time"}
_FLATTENED: JsonObject = {"type": "flattened", "ignore_above": 1024}
_SIMPLE: dict[type[inspect.Type], JsonObject] = {
    inspect.StrType: _KEYWORD,
    inspect.EnumType: _KEYWORD,
    inspect.LiteralType: _KEYWORD,
    inspect.BoolType: {"type": "boolean"},
    inspect.IntType: {"type": "long"},
    inspect.FloatType: {"type": "float"},
    inspect.DictType: _FLATTENED,
}
# Entities are objects, not nested: with one Lucene document per record, `docs.count` is the number of records, and
# Kibana cannot chart nested fields. The price: an entity's label and text cannot be queried together.
_ENRICHED_SPECIAL: dict[str, JsonObject] = {
    "@timestamp": DATE,
    "event.ingested": DATE,
    # A rating may be any finite number; Elasticsearch refuses the largest ones as infinite in a `float`.
    "rating": {"type": "double"},
    # One range, or several: to Elasticsearch a list of objects is like one.
    "body": {"properties": {"start": {"type": "long"}, "end": {"type": "long"}}},
}
_ALERT_SPECIAL: dict[str, JsonObject] = {
    "started_at": DATE,
    "updated_at": DATE,
    "ended_at": DATE,
    "examples.at": DATE,
    "acknowledged.at": DATE,
    "snoozed.at": DATE,
    "snoozed_until": DATE,
    "chart.start": DATE,
    "refusals.at": DATE,
    "assessment.at": DATE,
    "window_end": DATE,
    "peak_end": DATE,
    "told_at": DATE,
    "assigned.at": DATE,
    "resolved_by.at": DATE,
    "history.at": DATE,
    "history.until": DATE,
    "examples_end": DATE,
}
_CORRECTION_SPECIAL: dict[str, JsonObject] = {"corrected_at": DATE, "recorded_at": DATE}
# Turns are read with their conversation and never searched: a long one costs no more than its bytes.
_CONVERSATION_SPECIAL: dict[str, JsonObject] = {
    "created_at": DATE,
    "updated_at": DATE,
    "waiting_since": DATE,
    "handoff.at": DATE,
    "turns": {"type": "object", "enabled": False},
    "playbook_source": {"type": "keyword", "index": False, "doc_values": False},
}
_ENRICHED_TEXTS = ("text",)
_CORRECTION_TEXTS = ("text", "comment")
_ALERT_TEXTS = (
    "title",
    "summary",
    "runbook",
    "not_paged_because",
    "examples.text",
    "acknowledged.comment",
    "snoozed.comment",
    "refusals.error",
    "resolved_by.comment",
    "history.comment",
    "assessment.comment",
)


def enriched_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of EnrichedRecord, which rejects unknown fields; `text` is the definition of full-text fields."""
    return strict_mapping(EnrichedRecord, _ENRICHED_SPECIAL | dict.fromkeys(_ENRICHED_TEXTS, text))


def alert_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of Alert, which rejects unknown fields; `text` is the definition of full-text fields."""
    return strict_mapping(Alert, _ALERT_SPECIAL | dict.fromkeys(_ALERT_TEXTS, text))


def correction_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of Correction, which rejects unknown fields; `text` is the definition of full-text fields."""
    return strict_mapping(Correction, _CORRECTION_SPECIAL | dict.fromkeys(_CORRECTION_TEXTS, text))


def conversation_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of Conversation, which rejects unknown fields; `text` is the definition of full-text fields."""
    return strict_mapping(Conversation, _CONVERSATION_SPECIAL | {"handoff.summary": text})


def field_paths(properties: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, JsonObject]]:
    """Yield (dotted path, definition) of every leaf field of a mapping's `properties`."""
    for name, definition in properties.items():
        path = f"{prefix}{name}"
        if isinstance(definition, dict) and "properties" in definition:
            yield from field_paths(definition["properties"], f"{path}.")
        else:
            yield path, definition


def strict_mapping(struct: type[msgspec.Struct], special: dict[str, JsonObject]) -> JsonObject:
    """Mapping of a struct that rejects unknown fields; `special` has the definitions of fields by dotted path.

    Fields that are not in `special` are defined by their types.
    """
    kind = inspect.type_info(struct)
    assert isinstance(kind, inspect.StructType)
    return {"dynamic": "strict", "properties": _properties(kind, special, "")}


def _properties(kind: inspect.StructType, special: dict[str, JsonObject], prefix: str) -> JsonObject:
    return {
        field.encode_name: special.get(path) or _definition(field.type, special, path)
        for field in kind.fields
        for path in (f"{prefix}{field.encode_name}",)
    }


def _definition(kind: inspect.Type, special: dict[str, JsonObject], path: str) -> JsonObject:
    match kind:
        case inspect.UnionType(types=types):
            present = [member for member in types if not isinstance(member, inspect.NoneType)]
            if len(present) == 1:
                return _definition(present[0], special, path)
        case inspect.ListType(item_type=item):
            return _definition(item, special, path)
        case inspect.StructType():
            return {"properties": _properties(kind, special, f"{path}.")}
        case _:
            if type(kind) in _SIMPLE:
                return dict(_SIMPLE[type(kind)])
    raise TypeError(f"no mapping for {path}: {kind}")
