"""Resolved cases in an index of their own, which replays do not touch; the newest resolution of a record stays.

All functions raise Unavailable, AccessDenied, DependencyError, and IndexUnusable for an index that refuses documents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from elasticsearch import Elasticsearch

from triage.clock import parse_rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import buckets
from triage.elastic.bulk import send_bulk
from triage.elastic.errors import DEPENDENCY, cause, is_overload, translated
from triage.elastic.index_faults import count_deleted, remedy
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import count, read_documents, refresh, run_search, run_searches
from triage.elastic.search import decode_hits
from triage.errors import IndexUnusable, TriageError, Unavailable
from triage.schemas.resolution import Case

_PAGE = 1_000


@dataclass(frozen=True)
class FoundCase:
    """A case and the cosine of its vector and that of the searched text; None if words alone found the case."""

    case: Case
    cosine: float | None


def stored_times(
    client: Elasticsearch, settings: ElasticsearchSettings, records: Sequence[str]
) -> dict[str, tuple[int, str | None]]:
    """(time of the resolution in ms, encoder of the case's vector or None) by record, for records with a case."""
    found = read_documents(client, [(settings.cases(), record) for record in records])
    return {hit["_id"]: (int(hit["_version"]), hit["_source"].get("encoder")) for hit in found}


def write_cases(client: Elasticsearch, settings: ElasticsearchSettings, cases: Iterable[Case]) -> None:
    """Store cases; a case with an older resolution than the stored one of the same record is not stored."""
    lines: list[bytes] = []
    for case in cases:
        version = parse_rfc3339(case.at)
        place = {"_index": settings.cases(), "_id": case.record, "version": version, "version_type": "external_gte"}
        lines += [msgspec.json.encode({"index": place}), msgspec.json.encode(case)]
    if not lines:
        return
    with translated():
        body = send_bulk(client, lines)
    for item in body["items"]:
        result = item["index"]
        if result["status"] < 300 or result["status"] == 409:
            continue
        kind, reason = cause(result.get("error"))
        problem = f"{result['status']} {kind}: {reason} while writing {result.get('_id')}"
        if is_overload(result["status"], kind):
            raise Unavailable(DEPENDENCY, problem)
        index = settings.cases()
        raise IndexUnusable(DEPENDENCY, f"{problem} in {index}; {remedy(result.get('error'), index)}", index)


def similar_cases(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    text: str,
    size: int,
    *,
    without: str | None = None,
    vector: Sequence[float] | None = None,
    encoder: str | None = None,
) -> list[FoundCase]:
    """At most `size` cases whose records are like `text`, most similar first; [] if the index does not exist.

    `vector` is that of `text`, made by `encoder`: it finds the cases with vectors by the same encoder. Without
    `vector`, or if it finds no case, words find them. The record `without` is left out.
    """
    excluded: list[JsonObject] = [{"ids": {"values": [without]}}] if without else []
    words = {"match": {"text": {"query": text, "minimum_should_match": "30%"}}}
    shown = {"excludes": ["vector"]}
    searches: list[JsonObject] = [
        {"query": {"bool": {"must": [words], "must_not": excluded}}, "size": size, "_source": shown}
    ]
    if vector is not None:
        limits: list[JsonObject] = [{"term": {"encoder": encoder}}, {"bool": {"must_not": excluded}}]
        searches.append(
            {
                "knn": {"field": "vector", "query_vector": list(vector), "k": size, "num_candidates": size * 10,
                        "filter": limits},
                "size": size,
                "_source": shown,
            }
        )  # fmt: skip
    by_words, *by_vector = run_searches(client, settings.cases(), searches)
    if by_vector and not isinstance(by_vector[0], TriageError) and by_vector[0]["hits"]["hits"]:
        return [FoundCase(case, 2 * float(hit["_score"]) - 1) for hit, case in decode_hits(by_vector[0], Case)]
    if isinstance(by_words, TriageError):
        raise by_words
    return [FoundCase(case, None) for _, case in decode_hits(by_words, Case)]


def count_endings(
    client: Elasticsearch, settings: ElasticsearchSettings, resolutions: Sequence[str]
) -> dict[str, tuple[int, int]]:
    """Number of stored cases, and of those among them that the resolution ended, for each kind in `resolutions`."""
    wanted = sorted({each for each in resolutions if each})
    if not wanted:
        return {}
    body = run_search(
        client,
        settings.cases(),
        size=0,
        query={"bool": {"filter": [{"terms": {"resolution": wanted}}]}},
        aggregations={
            "kinds": {
                "terms": {"field": "resolution", "size": len(wanted)},
                "aggs": {"ended": {"filter": {"term": {"ended": True}}}},
            }
        },
    )
    found = buckets(body.get("aggregations", {}), "kinds")
    return {str(each["key"]): (int(each["doc_count"]), int(each["ended"]["doc_count"])) for each in found}


def erase_cases(
    client: Elasticsearch, settings: ElasticsearchSettings, authors: Iterable[str], *, dry_run: bool = False
) -> list[str]:
    """Delete the cases of texts by these authors (keyed hashes) and return the ids of their records.

    With `dry_run` nothing is deleted, and the list has an empty string for each case.
    """
    query = {"bool": {"filter": [{"terms": {"author_id": sorted(authors)}}]}}
    refresh(client, settings.cases())
    if dry_run:
        return [""] * count(client, settings.cases(), query)
    erased: list[str] = []
    while True:
        body = run_search(client, settings.cases(), query=query, size=_PAGE, source=False)
        found = [str(hit["_id"]) for hit in body["hits"]["hits"]]
        if not found:
            return erased
        delete_cases(client, settings, found)
        erased += found


def delete_cases(client: Elasticsearch, settings: ElasticsearchSettings, records: Sequence[str]) -> int:
    """Delete the cases of these records; returns the number of cases that there were."""
    if not records:
        return 0
    operations = [{"delete": {"_index": settings.cases(), "_id": record}} for record in records]
    with translated():
        answer = client.bulk(operations=operations, refresh=True).body
    return count_deleted(answer)
