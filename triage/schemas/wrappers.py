"""Recognizes records inside an envelope, as Kafka Connect can add it, and says how to send them without it."""

from collections.abc import Mapping
from typing import Any

_SCHEMA = "this is Kafka Connect's form with a schema; set value.converter.schemas.enable to false"
_ENVELOPE = "this is Debezium's envelope; the transform ExtractNewRecordState sends the row alone"
_TEXT = "the record is JSON in the field value; ExtractField$Value and StringConverter send it alone"

TOMBSTONE = "the message is empty; raw topics take no deletions: filter tombstones where they come from"
STRING = "this is JSON inside a string; send it by StringConverter instead of JsonConverter"


def wrapper_of(fields: Mapping[str, Any]) -> str | None:
    """Return a hint that names the envelope around a record and the setting that removes it; None if there is none."""
    if set(fields) == {"schema", "payload"}:
        return _SCHEMA
    if {"before", "after", "op"} <= set(fields):
        return _ENVELOPE
    if is_json_object(fields.get("value")):
        return _TEXT
    return None


def is_json_object(value: Any) -> bool:
    """True for a string that begins with `{` and ends with `}`, as a JSON object does."""
    return isinstance(value, str) and value[:1] == "{" and value[-1:] == "}"
