"""Mapping of the index of the guide's catalogue."""

from triage.elastic.mapping import JsonObject

_KEYWORD: JsonObject = {"type": "keyword", "ignore_above": 1024}


def catalogue_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of the catalogue, which rejects unknown fields.

    Items are read whole, never searched, so `text`, the definition of full-text fields, is unused.
    """
    del text
    whole: JsonObject = {"type": "object", "enabled": False}
    return {
        "dynamic": "strict",
        "properties": {
            **{name: dict(_KEYWORD) for name in ("doc", "item", "version", "encoder")},
            **{name: dict(whole) for name in ("stored", "exact", "bought_with")},
            "items": {"type": "long"},
            "applied_at": {"type": "date", "format": "strict_date_time"},
        },
    }
