"""The index of the guide's catalogue: writes, deletes and reads its items.

All functions raise Unavailable, AccessDenied, DependencyError, and IndexUnusable for an index that refuses documents.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from triage.elastic.bulk import send_bulk
from triage.elastic.catalogue_mapping import catalogue_mapping
from triage.elastic.errors import translated
from triage.elastic.index_faults import count_deleted
from triage.elastic.knowledge import ensure_index, require_written
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import read_document, refresh, run_search
from triage.elastic.search import decode_hits
from triage.schemas.catalogue import CatalogueDocument, CatalogueState

_PAGE = 1_000
_STATE = "@state"
_ITEMS: JsonObject = {"bool": {"filter": [{"term": {"doc": "item"}}]}}


def ensure_catalogue(client: Elasticsearch, index: str) -> bool:
    """Create the index of the catalogue unless it exists; returns True if it was created."""
    return ensure_index(client, index, catalogue_mapping)


def read_catalogue_documents(client: Elasticsearch, index: str) -> list[CatalogueDocument]:
    """All items of the catalogue's index, in the order of their ids; [] if the index does not exist."""
    found: list[CatalogueDocument] = []
    after: list[Any] | None = None
    while True:
        body = run_search(client, index, query=_ITEMS, size=_PAGE, sort=[{"item": "asc"}], search_after=after)
        hits = body["hits"]["hits"]
        if not hits:
            return found
        after = hits[-1]["sort"]
        found += [document for _, document in decode_hits(body, CatalogueDocument)]


def read_catalogue_state(client: Elasticsearch, index: str) -> CatalogueState | None:
    """The state that the last `triage guide apply` stored in the index of the guide's items; None before the first."""
    hit = read_document(client, index, _STATE)
    return None if hit is None else msgspec.convert(hit["_source"], CatalogueState)


def write_catalogue(client: Elasticsearch, index: str, documents: Iterable[CatalogueDocument | CatalogueState]) -> None:
    """Write items, or the state of the catalogue, each replacing the document of the same id."""
    lines: list[bytes] = []
    for each in documents:
        identity = _STATE if isinstance(each, CatalogueState) else each.item
        lines += [msgspec.json.encode({"index": {"_index": index, "_id": identity}}), msgspec.json.encode(each)]
    if not lines:
        return
    with translated():
        body = send_bulk(client, lines)
    for item in body["items"]:
        require_written(item["index"], index)


def delete_items(client: Elasticsearch, index: str, ids: Sequence[str]) -> int:
    """Delete items by id; returns the number of those that were there."""
    deleted = 0
    for start in range(0, len(ids), _PAGE):
        lines = [msgspec.json.encode({"delete": {"_index": index, "_id": each}}) for each in ids[start : start + _PAGE]]
        with translated():
            deleted += count_deleted(send_bulk(client, lines))
    return deleted


def make_catalogue_visible(client: Elasticsearch, index: str) -> None:
    """Make everything that was written to the catalogue's index visible to searches."""
    refresh(client, index)
