"""The index of emerging topics: one document a run. All raise Unavailable, AccessDenied, DependencyError."""

import msgspec
from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.errors import translated
from triage.elastic.knowledge import ensure_index
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import run_search
from triage.elastic.search import decode_hits
from triage.elastic.topics_mapping import topics_mapping
from triage.schemas.topic import TopicReport


def store_topics(client: Elasticsearch, settings: ElasticsearchSettings, report: TopicReport) -> None:
    """Store the report of one run of topic discovery; it replaces one with the same end of the period (`at`)."""
    index = settings.topics()
    ensure_index(client, index, topics_mapping)
    document: JsonObject = msgspec.to_builtins(report)
    with translated():
        client.index(index=index, id=report.at, document=document, refresh=True)


def latest_topics(client: Elasticsearch, settings: ElasticsearchSettings) -> TopicReport | None:
    """The report of the latest run of topic discovery; None if there was none."""
    query = {"bool": {"filter": [{"term": {"doc": "topics"}}]}}
    body = run_search(client, settings.topics(), query=query, size=1, sort=[{"at": "desc"}])
    return next((report for _, report in decode_hits(body, TopicReport)), None)
