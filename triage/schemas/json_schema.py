"""Generates JSON Schemas of the records: `python -m triage.schemas.json_schema topics/schemas`.

The raw schema describes the input of `parse_raw`, which accepts more than the parsed record contains: numbers for
strings, unknown fields.
"""

import copy
import inspect
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from triage.schemas.action import Acknowledge, Assign, Comment, Judge, Resolve, Silence, Snooze, Unacknowledge
from triage.schemas.alert import Alert
from triage.schemas.counts import Watermark, WindowCounts
from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.raw import INTERNAL_FIELDS, STRING_FIELDS, RawRecord
from triage.schemas.resolution import Resolution
from triage.schemas.turn import AnsweredTurn, IncomingTurn
from triage.types import SentimentLabel, SeverityLevel

Schema = dict[str, Any]

RECORDS: dict[str, type[msgspec.Struct]] = {
    "raw": RawRecord,
    "enriched": EnrichedRecord,
    "window-counts": WindowCounts,
    "watermark": Watermark,
    "dead-letter": DeadLetter,
    "alert": Alert,
    "alert-acknowledge": Acknowledge,
    "alert-unacknowledge": Unacknowledge,
    "alert-assign": Assign,
    "alert-comment": Comment,
    "alert-resolve": Resolve,
    "alert-snooze": Snooze,
    "alert-silence": Silence,
    "alert-judge": Judge,
    "resolution": Resolution,
    "turn": IncomingTurn,
    "answered-turn": AnsweredTurn,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NULL: Schema = {"type": "null"}
_RAW: dict[str, list[Schema]] = {
    "text": [{"type": "string", "pattern": "[^\\s\\u0000]"}],
    **{name: [{"type": "string", "maxLength": 1_000}, {"type": "number"}, _NULL] for name in STRING_FIELDS},
    "created_at": [
        {"type": "string"},
        {"type": "number", "minimum": 946_684_800_000, "exclusiveMaximum": 253_402_300_800_000},
        _NULL,
    ],
    "version": [
        {"type": "string", "pattern": "^\\s*[0-9]{1,40}(\\.[0-9]{1,40})?\\s*$"},
        {"type": "string", "format": "date-time"},
        {"const": ""},
        {"type": "number", "minimum": 0, "maximum": 4_611_686_018_427_387},
        _NULL,
    ],
    "rating": [
        {"type": "number"},
        {"type": "string", "pattern": "^$|^\\s*[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?\\s*$"},
        _NULL,
    ],
    "attributes": [{"type": "object"}, _NULL],
}

_SHARE: Schema = {"minimum": 0, "maximum": 1}
_COUNT: Schema = {"minimum": 0}
_TIME: Schema = {"format": "date-time"}
# Limits that the fields' types do not express, by struct and field, or by field alone.
_LIMITS: dict[str, Schema] = {
    "Sentiment.label": {"enum": [*SentimentLabel]},
    "Sentiment.score": {"minimum": -1, "maximum": 1},
    "Aspect.polarity": {"enum": [*SentimentLabel]},
    "Severity.level": {"enum": [*SeverityLevel]},
    "Entity.source": {"enum": ["model", "rule"]},
    "Alert.dedup_key": {"maxLength": 255},
    "confidence": _SHARE,
    "share": _SHARE,
    **dict.fromkeys(("@timestamp", "ingested", "failed_at", "started_at", "updated_at", "ended_at"), _TIME),
    **dict.fromkeys(
        ("start", "end", "count", "negative", "total", "peak_negative", "partition", "offset", "lag", "attempts"),
        _COUNT,
    ),
    **dict.fromkeys(
        ("first_offset", "last_offset", "payload_bytes", "window_ms", "window_s", "at_ms", "until_ms"), _COUNT
    ),
}


def record_schema(name: str) -> Schema:
    """Return the JSON Schema (2020-12) of one kind of record. Raises KeyError if `name` is not a key of `RECORDS`."""
    (reference,), components = msgspec.json.schema_components([RECORDS[name]], ref_template="#/$defs/{name}")
    definitions: dict[str, Schema] = copy.deepcopy(components)
    for struct, definition in definitions.items():
        if "description" in definition:
            definition["description"] = " ".join(inspect.cleandoc(definition["description"]).split())
        for field, schema in definition.get("properties", {}).items():
            _limit(schema, _LIMITS.get(f"{struct}.{field}") or _LIMITS.get(field) or {})
    root = definitions.pop(reference["$ref"].rpartition("/")[2])
    if name == "raw":
        root["properties"] = {
            field: _raw_field(field, schema)
            for field, schema in root["properties"].items()
            if field not in INTERNAL_FIELDS
        }
        root["additionalProperties"] = True
    document = {"$schema": _DIALECT, "$id": f"{name}.schema.json", **root}
    return document | {"$defs": definitions} if definitions else document


def write_schemas(folder: Path) -> list[Path]:
    """Write every schema into `folder`; return the paths of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in RECORDS:
        path = folder / f"{name}.schema.json"
        path.write_text(rendered(name), "utf-8")
        written.append(path)
    return written


def rendered(name: str) -> str:
    """Return the JSON Schema of the record kind `name`, a key of `RECORDS`, as the text of its file."""
    return by_lines(record_schema(name), 4) + "\n"


def by_lines(value: Any, depth: int) -> str:
    """Return `value` as JSON with one line for each entry of objects down to `depth`, so that diffs are readable."""
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    lines = (f"{json.dumps(key)}:{by_lines(each, depth - 1)}" for key, each in value.items())
    return "{\n" + ",\n".join(lines) + "\n}"


def _limit(schema: Schema, limits: Schema) -> None:
    """Add limits, in place, to a field's schema; of a union, to each branch that is not null."""
    for branch in schema.get("anyOf", [schema]):
        if branch.get("type") != "null":
            branch.update(limits)


def _raw_field(field: str, schema: Schema) -> Schema:
    branches = _RAW.get(field)
    if branches is None:
        return schema
    described = next((b["description"] for b in (schema, *schema.get("anyOf", [])) if "description" in b), None)
    accepted = branches[0] if len(branches) == 1 else {"anyOf": branches}
    return ({"description": described} if described else {}) | copy.deepcopy(accepted)


if __name__ == "__main__":
    for path in write_schemas(Path(sys.argv[1] if len(sys.argv) > 1 else "topics/schemas")):
        sys.stderr.write(f"{path}\n")
