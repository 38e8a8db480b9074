"""Mappings of the indices of knowledge and of resolved cases, which have vectors."""

from triage.elastic.mapping import DATE, JsonObject, strict_mapping
from triage.schemas.evidence import Unanswered, Verdict
from triage.schemas.resolution import Case

DIMENSIONS = 384
_KEYWORD: JsonObject = {"type": "keyword", "ignore_above": 1024}
_DAY: JsonObject = {"type": "date", "format": "strict_date"}
_PACKED: JsonObject = {"type": "keyword", "index": False, "doc_values": False}
# Stated, because the default differs between servers: the plan would differ too.
VECTOR: JsonObject = {
    "type": "dense_vector",
    "dims": DIMENSIONS,
    "index": True,
    "similarity": "cosine",
    "index_options": {"type": "int8_hnsw", "m": 16, "ef_construction": 100},
}


def knowledge_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of knowledge, which rejects unknown fields; `text` is the definition of full-text fields.

    What only documents of articles and versions have is in `stored`, which is not indexed, so that it does not count
    in the statistics of words.
    """
    keywords = ("doc", "passage", "article", "version", "language", "audience", "kind", "product", "intent", "encoder")
    return {
        "dynamic": "strict",
        "properties": {
            **{name: dict(_KEYWORD) for name in keywords},
            **{name: dict(text) for name in ("title", "heading", "text")},
            **{name: {"type": "long"} for name in ("number", "start", "end")},
            **{name: dict(_DAY) for name in ("valid_from", "valid_until")},
            "vector": VECTOR,
            "exact": _PACKED,
            "tokens": _PACKED,
            "stored": {"type": "object", "enabled": False},
        },
    }


def case_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of Case, which rejects unknown fields; `text` is the definition of full-text fields."""
    special = {"text": text, "answer": text, "at": DATE, "recorded_at": DATE, "vector": VECTOR}
    return strict_mapping(Case, special)


def evidence_mapping(text: JsonObject) -> JsonObject:
    """Index mapping of verdicts and unanswered questions, which rejects unknown fields."""
    special = {"text": text, "at": DATE, "exact": _PACKED}
    verdicts, unanswered = strict_mapping(Verdict, special), strict_mapping(Unanswered, special)
    return {"dynamic": "strict", "properties": {**verdicts["properties"], **unanswered["properties"]}}
