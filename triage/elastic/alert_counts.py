"""Counts the spike alerts that each alert rule raised, to compare them with its budget of false alerts.

True alerts are counted too.
"""

from collections import Counter
from dataclasses import dataclass

from elasticsearch import Elasticsearch

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.reading import run_search

MOST = 10_000


@dataclass(frozen=True, slots=True)
class Spent:
    """Number of spike alerts by rule (`alerts`), and of those that were paged (`paged`).

    `all` is False if 10,000 alerts were found: that many are read at most.
    """

    alerts: Counter[str]
    paged: Counter[str]
    all: bool


def spike_alerts(client: Elasticsearch, settings: ElasticsearchSettings, since_ms: int) -> Spent:
    """Count the spike alerts that began at or after `since_ms` (ms since the epoch), by rule.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    began = {"range": {"started_at": {"gte": rfc3339(since_ms)}}}
    body = run_search(
        client,
        settings.alerts_index,
        query={"bool": {"filter": [began, {"term": {"causes": "spike"}}]}},
        size=MOST,
        sort=[{"started_at": "desc"}],
        source=["rule", "paged"],
    )
    found = [hit["_source"] for hit in body["hits"]["hits"]]
    paged = Counter(one["rule"] for one in found if one.get("paged", True))
    return Spent(Counter(one["rule"] for one in found), paged, len(found) < MOST)
