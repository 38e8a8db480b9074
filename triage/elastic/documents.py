"""Reads, counts and deletes documents of the records' indices, in pages and with their document versions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from triage.clock import parse_rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic import reading
from triage.elastic.aggregations import event_time_range
from triage.elastic.bulk import send_bulk
from triage.elastic.errors import translated
from triage.elastic.index_faults import count_deleted
from triage.elastic.mapping import JsonObject
from triage.errors import DependencyError
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.version import is_named, with_offset, written_ms

_MOST_SOURCES = 1_000
# A total order: `_id` is the hash of id, channel and source. Without an id, `event.id` is a position, which a topic
# that was created again uses again, but at another time.
_ORDER: list[JsonObject] = [
    {"@timestamp": "asc"},
    {"event.id": "asc"},
    {"channel": "asc"},
    {"source": {"order": "asc", "missing": "_first"}},
    {"event.ingested": "asc"},
]


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One record as stored in Elasticsearch, with its `_id`, index and version (`triage.schemas.version`)."""

    id: str
    index: str
    version: int
    record: EnrichedRecord

    @property
    def written_ms(self) -> int:
        """Time of the record in ms since the epoch: the broker's timestamp of its raw record.

        If the source supplied the version, the broker's timestamp is unknown, and the time of enrichment is returned.
        """
        if is_named(self.version):
            return parse_rfc3339(self.record.event.ingested)
        return written_ms(self.version)


def by_authors(hashes: Iterable[str]) -> JsonObject:
    """Query for documents whose author hash (`author_id`) is one of `hashes`."""
    return {"bool": {"filter": [{"terms": {"author_id": sorted(hashes)}}]}}


def by_model(version: str, from_ms: int | None, to_ms: int | None, channels: Sequence[str]) -> JsonObject:
    """Query for documents of these channels that the model `version` (name@version) enriched.

    `from_ms` and `to_ms` (exclusive) bound the event time in ms since the epoch; None sets no bound.
    """
    filters: list[JsonObject] = [{"term": {"versions.model": version}}, {"terms": {"channel": list(channels)}}]
    return {"bool": {"filter": [*filters, *event_time_range(from_ms, to_ms)]}}


def refresh(client: Elasticsearch, settings: ElasticsearchSettings) -> None:
    """Make all written documents of records visible to searches."""
    reading.refresh(client, settings.index_prefix)


def count(client: Elasticsearch, settings: ElasticsearchSettings, query: JsonObject) -> int:
    return reading.count(client, settings.index_prefix, query)


def sources(client: Elasticsearch, settings: ElasticsearchSettings) -> tuple[dict[str, int], bool]:
    """Count the documents by `source`, most first; documents without a source are counted under "".

    Only the 1,000 most frequent sources are counted; the second value is True if there are more. Raises Unavailable,
    AccessDenied, DependencyError.
    """
    body = reading.run_search(
        client,
        settings.index_prefix,
        size=0,
        aggregations={
            "sources": {"terms": {"field": "source", "size": _MOST_SOURCES}},
            "none": {"missing": {"field": "source"}},
        },
    )
    found = body.get("aggregations", {})  # none without an index
    named = found.get("sources", {})
    counts = {str(bucket["key"]): int(bucket["doc_count"]) for bucket in named.get("buckets", ())}
    if without := found.get("none", {}).get("doc_count"):
        counts[""] = int(without)
    return counts, bool(named.get("sum_other_doc_count"))


def count_authors(client: Elasticsearch, settings: ElasticsearchSettings, hashes: Iterable[str]) -> dict[str, int]:
    """Number of documents by author hash, for those of `hashes` that have documents.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    wanted = sorted(hashes)
    found: dict[str, int] = {}
    for start in range(0, len(wanted), _MOST_SOURCES):
        part = wanted[start : start + _MOST_SOURCES]
        body = reading.run_search(
            client,
            settings.index_prefix,
            size=0,
            query=by_authors(part),
            aggregations={"authors": {"terms": {"field": "author_id", "size": len(part)}}},
        )
        buckets = body.get("aggregations", {}).get("authors", {}).get("buckets", ())
        found |= {str(bucket["key"]): int(bucket["doc_count"]) for bucket in buckets}
    return found


def pages(
    client: Elasticsearch, settings: ElasticsearchSettings, query: JsonObject, size: int
) -> Iterator[list[StoredRecord]]:
    """Yield all documents of a query by event time, `size` at a time. Documents may change between two pages.

    Raises Unavailable, also for a response that lacks shards; AccessDenied; DependencyError, also for a document that
    cannot be decoded.
    """
    after: list[Any] | None = None
    while True:
        body = reading.run_search(
            client, settings.index_prefix, query=query, size=size, version=True, sort=_ORDER, search_after=after
        )
        hits = body["hits"]["hits"]
        if not hits:
            return
        after = hits[-1]["sort"]
        try:
            yield [
                StoredRecord(
                    hit["_id"], hit["_index"], hit["_version"], msgspec.convert(hit["_source"], EnrichedRecord)
                )
                for hit in hits
            ]
        except msgspec.ValidationError as error:
            raise DependencyError(
                "elasticsearch", f"a document was written by another version of triage: {error}"
            ) from error


def newest(client: Elasticsearch, settings: ElasticsearchSettings, ids: Sequence[str]) -> dict[str, int]:
    """Highest document version by `_id`, over all indices, among searchable documents; missing ids are left out.

    Versions are converted by `with_offset`, so that those of different indices compare.
    """
    if not ids:
        return {}
    body = reading.run_search(
        client,
        settings.index_prefix,
        query={"ids": {"values": list(ids)}},
        size=min(10_000, len(ids) * 4),
        version=True,
        source=False,
    )
    found: dict[str, int] = {}
    for hit in body["hits"]["hits"]:
        found[hit["_id"]] = max(with_offset(hit["_version"]), found.get(hit["_id"], -1))
    return found


def current(
    client: Elasticsearch, items: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], tuple[int, dict[str, Any]]]:
    """Read documents by (index, `_id`), each as (version, content); missing ones are left out.

    Versions are converted by `with_offset`. Also finds documents that are not visible to searches yet. Raises
    Unavailable if an index can't be read.
    """
    found = reading.read_documents(client, items)
    return {(each["_index"], each["_id"]): (with_offset(each["_version"]), each["_source"]) for each in found}


def delete(client: Elasticsearch, items: Sequence[tuple[str, str, int]]) -> int:
    """Delete documents, each given as (index, `_id`, version), unless the stored version is higher.

    Returns the number of deletions. Elasticsearch keeps the version of a deletion, so a late write of the deleted
    document is refused. Raises Unavailable or DependencyError if a document could not be deleted.
    """
    if not items:
        return 0
    lines = [
        {"delete": {"_index": index, "_id": identity, "version": version, "version_type": "external_gte"}}
        for index, identity, version in items
    ]
    with translated():
        body = send_bulk(client, [msgspec.json.encode(line) for line in lines])
    return count_deleted(body)
