"""Schemas of questions, answers and resolutions in the API's OpenAPI document."""

import copy
from typing import Any

import msgspec

from triage.assist.answers.model import Answer
from triage.assist.guide.model import Advice, GuideRequest

RESOLUTIONS_EXAMPLE = {
    "resolutions": [
        {
            "id": "T-1001",
            "source": "web-form",
            "answer": "We sent a new one.",
            "outcome": "solved",
            "resolution": "replacement",
        }
    ]
}
QUESTION_EXAMPLE = {
    "question": "Can I send back a toaster that I have used?",
    "language": "en",
    "audience": "public",
    "k": 3,
}
GUIDE_EXAMPLE = {"text": "A waterproof phone under 300 dollars, not black", "language": "en", "k": 3}


def evidence_schemas() -> dict[str, Any]:
    """Return the JSON Schemas of questions, answers, resolutions and the product guide, by name."""
    return {"Resolutions": _resolutions(), "Question": _question(), "Evidence": _answer(), **_guide()}


def _guide() -> dict[str, Any]:
    """The schemas of the guide's requests and advice, and of their parts."""
    _, components = msgspec.json.schema_components([GuideRequest, Advice], ref_template="#/components/schemas/{name}")
    return dict(components)


def _resolutions() -> dict[str, Any]:
    text = {"type": "string"}
    resolution = {
        "type": "object",
        "required": ["answer", "outcome"],
        "properties": {
            "record": {**text, "description": "_id of the record; or id, with channel and source"},
            **dict.fromkeys(("id", "channel", "source"), text),
            "answer": {**text, "description": "What was answered; redacted before it is kept"},
            "outcome": {
                **text,
                "description": "solved, refunded, replaced, closed end a case; reopened, escalated do not",
            },
            "resolution": {**text, "description": "Kind of answer, by which cases are counted"},
            "at": {**text, "format": "date-time", "description": "Default: now"},
            "actor": text,
        },
    }
    return {
        "type": "object",
        "required": ["resolutions"],
        "properties": {"resolutions": {"type": "array", "minItems": 1, "items": resolution}},
    }


def _question() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "additionalProperties": False,
        "description": "Exactly one of question, record and conversation",
        "properties": {
            "question": {**text, "maxLength": 20_000},
            "record": {**text, "description": "_id of an indexed record, whose text is the question"},
            "conversation": {**text, "description": "Id of a conversation, whose last turns are the question"},
            "language": {**text, "description": "Language of the question; default: that of its words"},
            "audience": {"enum": ["public", "internal"], "default": "public"},
            "product": {**text, "description": "Only articles of this product, and of all products"},
            "intent": {**text, "description": "Only articles of this intent, and of all intents"},
            "k": {"type": "integer", "minimum": 1, "maximum": 50, "default": 3},
        },
    }


def _answer() -> dict[str, Any]:
    """The schema of an answer, from its type."""
    _, components = msgspec.json.schema_components([Answer], ref_template="#/components/schemas/{name}")
    schema: dict[str, Any] = copy.deepcopy(components["Answer"])
    for name in ("AnswerSpan", "RankedPassage", "SimilarCase"):
        items = schema["properties"][{"AnswerSpan": "answer", "RankedPassage": "ranking", "SimilarCase": "cases"}[name]]
        items["items"] = components[name]
    return schema
