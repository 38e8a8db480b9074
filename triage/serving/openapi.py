"""Builds the API's OpenAPI document, with the schemas of the records."""

import copy
import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from triage import __version__
from triage.schemas.json_schema import record_schema
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
    """Build the OpenAPI description of one route.

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
        "Corrected": {
            "type": "object",
            "properties": {"record": {"type": "string"}, "changed": {"type": "boolean"}},
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
