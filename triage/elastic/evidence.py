"""Stores verdicts on evidence and unanswered questions, in an index of their own.

All functions raise Unavailable, AccessDenied, DependencyError.
"""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.aggregations import buckets
from triage.elastic.errors import translated
from triage.elastic.index_faults import count_deleted, written
from triage.elastic.knowledge_mapping import evidence_mapping
from triage.elastic.reading import count, refresh, run_search
from triage.elastic.search import decode_hits
from triage.schemas.evidence import Unanswered, Verdict

_MOST_ARTICLES = 10_000
_PAGE = 1_000


def store_verdict(client: Elasticsearch, settings: ElasticsearchSettings, verdict: Verdict) -> None:
    """Store a verdict, replacing an earlier one of the same person on the same passage for the same record."""
    parts = msgspec.json.encode([verdict.record, verdict.passage, verdict.actor])
    _write(client, settings, verdict, hashlib.sha256(parts).hexdigest())


def store_unanswered(client: Elasticsearch, settings: ElasticsearchSettings, question: Unanswered) -> None:
    """Store a question that got no answer. Each time it is asked makes a document of its own."""
    _write(client, settings, question, None)


def verdicts_of_record(client: Elasticsearch, settings: ElasticsearchSettings, record: str) -> list[Verdict]:
    """All verdicts for a record, the newest first."""
    query = {"bool": {"filter": [{"term": {"doc": "verdict"}}, {"term": {"record": record}}]}}
    body = run_search(client, settings.answers(), query=query, size=100, sort=[{"at": "desc"}])
    return [verdict for _, verdict in decode_hits(body, Verdict)]


def verdicts_by_article(client: Elasticsearch, settings: ElasticsearchSettings) -> dict[str, dict[str, int]]:
    """Number of verdicts by article and then by verdict; articles without verdicts are left out."""
    body = run_search(
        client,
        settings.answers(),
        size=0,
        query={"bool": {"filter": [{"term": {"doc": "verdict"}}]}},
        aggregations={
            "articles": {
                "terms": {"field": "article", "size": _MOST_ARTICLES},
                "aggs": {"verdicts": {"terms": {"field": "verdict", "size": 10}}},
            }
        },
    )
    return {
        str(article["key"]): {str(each["key"]): int(each["doc_count"]) for each in buckets(article, "verdicts")}
        for article in buckets(body.get("aggregations", {}), "articles")
    }


def latest_unanswered(client: Elasticsearch, settings: ElasticsearchSettings, size: int) -> list[Unanswered]:
    """The `size` latest questions that got no answer, newest first."""
    query = {"bool": {"filter": [{"term": {"doc": "unanswered"}}]}}
    body = run_search(client, settings.answers(), query=query, size=size, sort=[{"at": "desc"}])
    return [question for _, question in decode_hits(body, Unanswered)]


def erase_evidence(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    authors: Iterable[str],
    records: Sequence[str],
    *,
    dry_run: bool = False,
) -> int:
    """Delete verdicts and questions about records of `authors` (keyed hashes), or about `records`; return their number.

    With `dry_run` they are only counted.
    """
    authored = {"terms": {"author_id": sorted(authors)}}
    about = {"terms": {"record": sorted(records)[:_MOST_ARTICLES]}}
    query = {"bool": {"should": [authored, about], "minimum_should_match": 1}}
    refresh(client, settings.answers())
    if dry_run:
        return count(client, settings.answers(), query)
    erased = 0
    while True:
        body = run_search(client, settings.answers(), query=query, size=_PAGE, source=False)
        found = [str(hit["_id"]) for hit in body["hits"]["hits"]]
        if not found:
            return erased
        operations = [{"delete": {"_index": settings.answers(), "_id": identity}} for identity in found]
        with translated():
            answer = client.bulk(operations=operations, refresh=True).body
        erased += count_deleted(answer)


def _write(
    client: Elasticsearch, settings: ElasticsearchSettings, document: Verdict | Unanswered, identity: str | None
) -> None:
    with written(client, settings.answers(), evidence_mapping({"type": "text"})):
        client.index(
            index=settings.answers(), id=identity, document=msgspec.to_builtins(document), refresh=identity is not None
        )
