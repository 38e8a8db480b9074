"""Every field of the records is in the mapping, and the mapping has no other."""

import typing
from typing import Literal, get_args, get_origin

import msgspec
import pytest

from triage.elastic.mapping import (
    alert_mapping,
    conversation_mapping,
    correction_mapping,
    enriched_mapping,
    field_paths,
)
from triage.schemas.alert import Alert
from triage.schemas.conversation import Conversation
from triage.schemas.correction import Correction
from triage.schemas.enriched import EnrichedRecord

TEXT = {"type": "text"}


def struct_paths(struct, prefix=""):
    """Dotted paths of a struct's leaves, found without the code under test."""
    hints = typing.get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        kind = hints[field.name]
        members = [kind, *get_args(kind), *(inner for member in get_args(kind) for inner in get_args(member))]
        inner = [member for member in members if isinstance(member, type) and issubclass(member, msgspec.Struct)]
        path = f"{prefix}{field.encode_name}"
        if inner and get_origin(kind) is not dict:
            yield from struct_paths(inner[0], f"{path}.")
        else:
            yield path


@pytest.mark.parametrize(
    ("struct", "mapping"),
    [(EnrichedRecord, enriched_mapping), (Alert, alert_mapping), (Correction, correction_mapping)],
)
def test_the_mapping_has_exactly_the_fields_of_the_record(struct, mapping):
    built = mapping(TEXT)
    assert built["dynamic"] == "strict"
    assert sorted(path for path, _ in field_paths(built["properties"])) == sorted(struct_paths(struct))


def test_a_conversation_is_found_by_its_state_and_its_turns_are_only_kept():
    built = conversation_mapping(TEXT)
    paths = dict(field_paths(built["properties"]))
    assert built["dynamic"] == "strict"
    assert paths.pop("turns") == {"type": "object", "enabled": False}
    of_struct = [path for path in struct_paths(Conversation) if not path.startswith("turns")]
    assert sorted(paths) == sorted(of_struct)


@pytest.mark.parametrize(
    ("path", "definition"),
    [
        ("@timestamp", {"type": "date", "format": "strict_date_time"}),
        ("event.ingested", {"type": "date", "format": "strict_date_time"}),
        ("event.id", {"type": "keyword", "ignore_above": 1024}),
        ("text", TEXT),
        ("channel", {"type": "keyword", "ignore_above": 1024}),
        ("sentiment.score", {"type": "float"}),
        ("intent.top.label", {"type": "keyword", "ignore_above": 1024}),
        ("entities.start", {"type": "long"}),
        ("entities.text", {"type": "keyword", "ignore_above": 1024}),
        ("flags", {"type": "keyword", "ignore_above": 1024}),
        ("rating", {"type": "double"}),
        ("attributes", {"type": "flattened", "ignore_above": 1024}),
    ],
)
def test_types_of_the_record(path, definition):
    assert dict(field_paths(enriched_mapping(TEXT)["properties"]))[path] == definition


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("started_at", "date"),
        ("ended_at", "date"),
        ("examples.at", "date"),
        ("examples.text", "text"),
        ("dimensions", "flattened"),
        ("status", "keyword"),
        ("paged", "boolean"),
        ("negative", "long"),
        ("expected", "float"),
        ("top_intents.value", "keyword"),
    ],
)
def test_types_of_the_alert(path, kind):
    assert dict(field_paths(alert_mapping(TEXT)["properties"]))[path]["type"] == kind


def test_a_field_that_has_no_mapping_says_where_it_is(monkeypatch):
    from triage.elastic import mapping

    class Inner(msgspec.Struct):
        either: int | str

    class Outer(msgspec.Struct):
        kind: Literal["a"]
        inner: Inner

    with pytest.raises(TypeError, match=r"no mapping for inner\.either"):
        mapping.strict_mapping(Outer, {})
