"""Reads a short form of the alerts of recent weeks, to compare them with their rules' budgets and to count errors."""

from dataclasses import dataclass
from typing import Any

from elasticsearch import Elasticsearch

from triage.clock import parse_rfc3339, rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic.reading import run_search

MOST = 10_000
_FIELDS = ("dedup_key", "rule", "started_at", "paged", "causes", "peak_negative", "assessment.verdict")


@dataclass(frozen=True, slots=True)
class PastAlert:
    """An alert that began at `started_ms` (ms since the epoch).

    `paged` is false if no receiver accepted its page; `causes` are the conditions that fired. `verdict` is a user's
    assessment, `right` or `false`; None without one.
    """

    dedup_key: str
    rule: str
    started_ms: int
    paged: bool = True
    causes: tuple[str, ...] = ()
    peak_negative: int = 0
    verdict: str | None = None


@dataclass(frozen=True, slots=True)
class PastAlerts:
    """Alerts, newest first. `complete` is False if the limit of 10,000 was reached: older ones may be missing."""

    alerts: list[PastAlert]
    complete: bool = True


def past_alerts(client: Elasticsearch, settings: ElasticsearchSettings, since_ms: int) -> PastAlerts:
    """Read the latest 10,000 alerts that began at or after `since_ms` (ms since the epoch).

    Raises Unavailable, AccessDenied, DependencyError.
    """
    body = run_search(
        client,
        settings.alerts_index,
        query={"bool": {"filter": [{"range": {"started_at": {"gte": rfc3339(since_ms)}}}]}},
        size=MOST,
        sort=[{"started_at": "desc"}],
        source=list(_FIELDS),
    )
    found = [_past(hit["_source"]) for hit in body["hits"]["hits"]]
    return PastAlerts(found, len(found) < MOST)


def _past(document: dict[str, Any]) -> PastAlert:
    assessment = document.get("assessment") or {}
    return PastAlert(
        dedup_key=document["dedup_key"],
        rule=document["rule"],
        started_ms=parse_rfc3339(document["started_at"]),
        paged=document.get("paged", True),
        causes=tuple(document.get("causes", ())),
        peak_negative=document.get("peak_negative", 0),
        verdict=assessment.get("verdict"),
    )
