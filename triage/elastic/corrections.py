"""Stores and reads users' corrections of labels, in a separate index that replays do not change."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from triage.clock import DAY_MS, parse_rfc3339, rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.errors import translated
from triage.elastic.index_faults import count_deleted, written
from triage.elastic.mapping import JsonObject, correction_mapping
from triage.elastic.reading import count, refresh, run_search
from triage.elastic.search import decode_hits
from triage.schemas.correction import Correction

_PAGE = 1_000
_ORDER = [{"corrected_at": "asc"}, {"record": "asc"}]


def correct(client: Elasticsearch, settings: ElasticsearchSettings, correction: Correction) -> None:
    """Store a correction, replacing an earlier one of the same record; it is searchable at once.

    Raises Unavailable, AccessDenied, DependencyError, as every function in this module.
    """
    with written(client, settings.corrections(), correction_mapping({"type": "text"})):
        client.index(
            index=settings.corrections(),
            id=correction.record,
            document=msgspec.to_builtins(correction),
            refresh=True,
        )


def withdraw(client: Elasticsearch, settings: ElasticsearchSettings, record: str) -> bool:
    """Delete the correction of a record; return False if there is none."""
    with written(client, settings.corrections(), correction_mapping({"type": "text"})):
        found = client.options(ignore_status=404).delete(index=settings.corrections(), id=record, refresh=True)
    return bool(found.body.get("result") == "deleted")


def corrections_of(
    client: Elasticsearch, settings: ElasticsearchSettings, records: Sequence[str]
) -> dict[str, Correction]:
    """Corrections by the `_id` of their record; records without one are left out."""
    if not records:
        return {}
    body = run_search(client, settings.corrections(), query={"ids": {"values": list(records)}}, size=len(records))
    return {hit["_id"]: correction for hit, correction in decode_hits(body, Correction)}


def corrections(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> Iterator[Correction]:
    """Yield all corrections, oldest first, reading a page at a time.

    `since_ms` and `until_ms` (exclusive) bound the time of correction, in ms since the epoch; None sets no bound.
    """
    query = _made(since_ms, until_ms)
    after: list[Any] | None = None
    while True:
        body = run_search(client, settings.corrections(), query=query, size=_PAGE, sort=_ORDER, search_after=after)
        hits = body["hits"]["hits"]
        for _, correction in decode_hits(body, Correction):
            yield correction
        if len(hits) < _PAGE:
            return
        after = hits[-1]["sort"]


def latest_corrections(client: Elasticsearch, settings: ElasticsearchSettings, size: int) -> list[Correction]:
    """The `size` latest corrections, newest first."""
    body = run_search(
        client, settings.corrections(), query=_made(None, None), size=size, sort=[{"corrected_at": "desc"}]
    )
    return [correction for _, correction in decode_hits(body, Correction)]


def corrected_records(
    client: Elasticsearch, settings: ElasticsearchSettings, start_ms: int, end_ms: int, size: int
) -> dict[int, list[str]]:
    """Find the corrected records in a range of event times (ms, end exclusive): their `_id`s by day.

    Keys are the start of the record's day (UTC) in ms since the epoch. If there are more than `size` records, those
    that were corrected last are returned.
    """
    query = {"bool": {"filter": [{"range": {"recorded_at": {"gte": rfc3339(start_ms), "lt": rfc3339(end_ms)}}}]}}
    body = run_search(
        client, settings.corrections(), query=query, size=size, sort=[{"corrected_at": "desc"}], source=["recorded_at"]
    )
    found: dict[int, list[str]] = {}
    for hit in body["hits"]["hits"]:
        at_ms = parse_rfc3339(hit["_source"]["recorded_at"])
        found.setdefault(at_ms // DAY_MS * DAY_MS, []).append(str(hit["_id"]))
    return found


def count_corrections(client: Elasticsearch, settings: ElasticsearchSettings) -> tuple[int, int]:
    """(number of corrected records, number of those whose labels were changed)."""
    changed = {"filter": {"term": {"changed": True}}}
    everything = {"filter": {"exists": {"field": "record"}}}
    body = run_search(client, settings.corrections(), size=0, aggregations={"all": everything, "changed": changed})
    found = body.get("aggregations", {})
    return found.get("all", {}).get("doc_count", 0), found.get("changed", {}).get("doc_count", 0)


def erase_corrections(
    client: Elasticsearch, settings: ElasticsearchSettings, authors: Iterable[str], *, dry_run: bool = False
) -> int:
    """Delete the corrections of texts by these authors (keyed hashes); return their number.

    With `dry_run` they are only counted. Raises Unavailable also if the index refuses deletions, e.g. because it is
    read-only.
    """
    query = {"bool": {"filter": [{"terms": {"author_id": sorted(authors)}}]}}
    refresh(client, settings.corrections())
    if dry_run:
        return count(client, settings.corrections(), query)
    erased = 0
    while True:
        body = run_search(client, settings.corrections(), query=query, size=_PAGE, source=False)
        found = [str(hit["_id"]) for hit in body["hits"]["hits"]]
        if not found:
            return erased
        operations = [{"delete": {"_index": settings.corrections(), "_id": identity}} for identity in found]
        with translated():
            answer = client.bulk(operations=operations, refresh=True).body
        # Raises if one is refused: it would be found again in an endless loop.
        erased += count_deleted(answer)


def _made(since_ms: int | None, until_ms: int | None) -> JsonObject:
    bounds = {name: rfc3339(ms) for name, ms in (("gte", since_ms), ("lt", until_ms)) if ms is not None}
    return {"bool": {"filter": [{"range": {"corrected_at": bounds}}] if bounds else []}}
