"""Reads the alerts of the last weeks in short, to compare them with the budgets of their rules and to count errors."""

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

    `paged` is false if no receiver took its page, `causes` are what made it fire. `verdict` is `right` or `false` as a
    person said, None if nobody has.
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
    """Alerts, newest first. `complete` is False if 10,000 were found: that many are read at most."""

    alerts: list[PastAlert]
    complete: bool = True


def past_alerts(client: Elasticsearch, settings: ElasticsearchSettings, since_ms: int) -> PastAlerts:
    """Read the alerts that began at or after `since_ms` (ms since the epoch).

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
