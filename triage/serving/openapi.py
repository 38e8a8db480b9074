"""Builds the API's OpenAPI document, with the schemas of the records."""

import copy
import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from triage import __version__
from triage.assist.playbooks.model import HANDOFF_REASONS
from triage.schemas.conversation import STATES
from triage.schemas.json_schema import record_schema
from triage.serving.answers_openapi import evidence_schemas
from triage.types import Channel, SentimentLabel

_ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string", "description": "Stable, for programs: missing_text"},
        "message": {"type": "string", "description": "What is wrong and what to do, for people"},
        "field": {"type": "string", "description": "The record's field at fault, where one is"},
    },
}
_EXAMPLE = {
    "id": "T-1001",
    "text": "Parcel never arrived and nobody answers",
    "channel": "complaint",
    "source": "web-form",
    "brand": "Acme",
}
_STATUSES = {
    "400": "Not JSON",
    "401": "No token, or a wrong one",
    "413": "More bytes or records than one request may have",
    "409": "The turn's number is taken or out of order, or the conversation is closed",
    "415": "Content-Type is not JSON",
    "422": "JSON of another form",
    "429": "Above the caller's records per minute, or too many wrong tokens from its address; Retry-After says when",
    "503": "Overloaded, or Kafka or Elasticsearch is unavailable; Retry-After says when",
}


def describe(app: FastAPI) -> None:
    """Make `app` serve the OpenAPI document that this module builds."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title="triage",
                version=__version__,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            components = document.setdefault("components", {})
            components["schemas"] = _schemas()
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["security"] = [{"token": []}]
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def operation(request: str, answer: str, status: int, example: Any, *, statuses: tuple[str, ...]) -> dict[str, Any]:
    """Build the OpenAPI description of one route, as FastAPI's `openapi_extra`.

    `request` and `answer` are names of schemas, `example` is a request body, `status` is the status of success,
    `statuses` are those of errors.
    """
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _reference(request), "example": example}},
        },
        "responses": {
            str(status): {"description": "Done", "content": {"application/json": {"schema": _reference(answer)}}},
            **{
                each: {
                    "description": _STATUSES.get(each, "Refused"),
                    "content": {"application/json": {"schema": _reference("Problem")}},
                }
                for each in statuses
            },
        },
    }


def reading(answer: str, *, statuses: tuple[str, ...]) -> dict[str, Any]:
    """Return the OpenAPI description of a route that takes no body; `answer` and `statuses` as in `operation`."""
    return {"responses": operation("", answer, 200, None, statuses=statuses)["responses"]}


RECORDS_EXAMPLE = {"records": [_EXAMPLE]}
CORRECTION_EXAMPLE = {"record": "9f2c…", "intent": "delivery", "sentiment": "negative", "comment": "late, not lost"}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> dict[str, Any]:
    found: dict[str, Any] = {}
    record = _component("raw", "Record", found)
    record["properties"]["channel"] = {"enum": [*Channel], "default": Channel.COMPLAINT.value}
    _component("enriched", "EnrichedRecord", found)
    error = {"type": "object", "required": ["error"], "properties": {"error": _reference("Error")}}
    sent = {
        "type": "object",
        "required": ["id"],
        "properties": {
            "id": {"type": "string", "description": "The record's own, or a generated one"},
            "repeated": {"type": "boolean", "description": "Sent before, so not sent again"},
        },
    }
    enriched = {"type": "object", "required": ["record"], "properties": {"record": _reference("EnrichedRecord")}}
    label = {"type": ["string", "null"]}
    return {
        **found,
        **evidence_schemas(),
        "Accepted": _results({"type": "object", "properties": {"record": {"type": "string"}}}, error),
        "Error": _ERROR,
        "Problem": error,
        "Records": {
            "type": "object",
            "required": ["records"],
            "properties": {"records": {"type": "array", "minItems": 1, "items": _reference("Record")}},
        },
        "Enriched": _results(enriched, error),
        "Sent": _results(sent, error),
        "SentOne": sent,
        "Anything": {
            "type": "object",
            "description": "JSON of the help desk; api.mappings names the used fields",
        },
        "Correction": {
            "type": "object",
            "required": ["record"],
            "additionalProperties": False,
            "properties": {
                "record": {"type": "string", "description": "_id of the document"},
                "intent": label,
                "sentiment": {"enum": [*SentimentLabel, None]},
                "comment": {"type": "string"},
            },
        },
        "Turn": {
            "type": "object",
            "required": ["turn", "from", "text"],
            "additionalProperties": False,
            "properties": {
                "turn": {"type": "integer", "minimum": 1, "description": "The last turn's number plus one"},
                "from": {"enum": ["customer", "agent"]},
                "text": {"type": "string"},
                "language": {"type": "string", "description": "Of the text, if it is known"},
                "author_id": {"type": "string", "description": "In the first turn; stored as a keyed hash"},
                "source": {"type": "string"},
                "step": {"type": "string", "description": "The suggested step that an agent picked"},
            },
        },
        "Answer": _answer_schema(),
        "Conversation": {
            "type": "object",
            "description": "The conversation as it is stored, redacted: state, turns with their answers, slots",
            "properties": {"id": {"type": "string"}, "state": {"enum": [*STATES]}, "turns": {"type": "array"}},
        },
        "Act": {
            "type": "object",
            "properties": {"outcome": {"type": "string", "description": "Of `close`", "maxLength": 80}},
        },
        "ConversationState": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "state": {"enum": [*STATES]},
                "outcome": {"type": ["string", "null"]},
            },
        },
        "Corrected": {
            "type": "object",
            "properties": {"record": {"type": "string"}, "changed": {"type": "boolean"}},
        },
    }


def _answer_schema() -> dict[str, Any]:
    text = {"type": "string"}
    said = {"text": text, "step": text, "passage": text}
    suggested = {"step": text, "text": text, "why": text}
    handed_over = {"reason": {"enum": [*HANDOFF_REASONS]}, "at": text, "summary": text}
    return {
        "type": "object",
        "required": ["turn", "state", "say", "suggestions"],
        "properties": {
            "turn": {"type": "integer"},
            "state": {"enum": [*STATES]},
            "say": {"type": "array", "items": {"type": "object", "properties": said}},
            "ask": {"type": "string", "description": "The slot that the next turn is to fill"},
            "handoff": {"type": "object", "properties": handed_over},
            "suggestions": {"type": "array", "items": {"type": "object", "properties": suggested}},
        },
    }


def _results(*kinds: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer with one result, of one of these kinds, per record of the request, in order."""
    return {
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": {"oneOf": list(kinds)}}},
    }


def _component(name: str, title: str, into: dict[str, Any]) -> dict[str, Any]:
    """Add a record's schema to the components `into`, under `title`, with its definitions; returns the schema."""
    schema = copy.deepcopy(record_schema(name))
    text = json.dumps({key: value for key, value in schema.items() if key not in {"$schema", "$id"}})
    component: dict[str, Any] = json.loads(text.replace("#/$defs/", "#/components/schemas/"))
    into |= component.pop("$defs", {})
    into[title] = component
    return component
