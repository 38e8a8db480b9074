"""Mapping of the index of emerging topics."""

from triage.elastic.mapping import DATE, JsonObject, strict_mapping
from triage.schemas.topic import TopicReport


def topics_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of TopicReport, which rejects unknown fields.

    Topics are read whole, never searched, so `text`, the definition of full-text fields, is unused.
    """
    del text
    whole: JsonObject = {"type": "object", "enabled": False}
    return strict_mapping(TopicReport, {"at": DATE, "start": DATE, "end": DATE, "topics": whole})
