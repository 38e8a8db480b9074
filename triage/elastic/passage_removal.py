"""Removes passages of old versions, so that another `apply` at the same time keeps its own.

A passage is deleted only as it was read, and written back if its version became the current one in between. Who makes a
version the current one looks for its passages afterwards: one of the two sees the other.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from triage.elastic.bulk import send_bulk
from triage.elastic.errors import translated
from triage.elastic.knowledge import require_written, write_passages
from triage.elastic.reading import read_documents
from triage.schemas.knowledge import PassageDocument, unpack_vector

_PART = 250


def discard_passages(client: Elasticsearch, index: str, ids: Sequence[str]) -> int:
    """Delete passages by `_id` unless they belong to the current version of their article; returns how many are gone.

    Those that are not there, or that somebody else writes meanwhile, are left alone. Raises as `write_passages`.
    """
    gone = 0
    for start in range(0, len(ids), _PART):
        deleted = _delete(client, index, ids[start : start + _PART])
        current = _current(client, index, {hit["_source"]["article"] for hit in deleted})
        needed = [hit for hit in deleted if current.get(hit["_source"]["article"]) == hit["_source"]["version"]]
        write_passages(client, index, [_document(hit) for hit in needed])
        gone += len(deleted) - len(needed)
    return gone


def _delete(client: Elasticsearch, index: str, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The documents that were deleted."""
    found = read_documents(client, [(index, each) for each in ids])
    current = _current(client, index, {hit["_source"]["article"] for hit in found})
    found = [hit for hit in found if current.get(hit["_source"]["article"]) != hit["_source"]["version"]]
    if not found:
        return []
    lines = [
        msgspec.json.encode(
            {
                "delete": {
                    "_index": index,
                    "_id": hit["_id"],
                    "if_seq_no": hit["_seq_no"],
                    "if_primary_term": hit["_primary_term"],
                }
            }
        )
        for hit in found
    ]
    with translated():
        items = [item["delete"] for item in send_bulk(client, lines)["items"]]
    deleted = []
    for hit, item in zip(found, items, strict=True):
        if item["status"] not in {404, 409}:
            require_written(item, index)
            deleted.append(hit)
    return deleted


def _current(client: Elasticsearch, index: str, articles: set[str]) -> dict[str, str]:
    """Current versions, also those that searches do not see yet."""
    found = read_documents(client, [(index, each) for each in sorted(articles)])
    return {hit["_source"]["article"]: hit["_source"]["version"] for hit in found}


def _document(hit: dict[str, Any]) -> PassageDocument:
    passage = msgspec.convert(hit["_source"], PassageDocument)
    # Newer servers leave vectors out of what they return.
    if passage.vector is None and passage.exact is not None:
        passage.vector = unpack_vector(passage.exact).tolist()
    return passage
