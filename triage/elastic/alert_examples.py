"""Finds and rewrites alerts that quote given records, for the erasure of those records."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.index_faults import written
from triage.elastic.mapping import alert_mapping
from triage.elastic.reading import refresh, run_search
from triage.elastic.search import decode_hits
from triage.schemas.alert import Alert

_CHUNK = 1_000
_PAGE = 1_000


def alerts_with_examples(
    client: Elasticsearch, settings: ElasticsearchSettings, ids: Sequence[str]
) -> Iterator[tuple[int, Alert]]:
    """Yield (document version, alert) of each stored alert that quotes a record whose `_id` is one of `ids`.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    refresh(client, settings.alerts_index)
    for start in range(0, len(ids), _CHUNK):
        query = {"bool": {"filter": [{"terms": {"examples.id": list(ids[start : start + _CHUNK])}}]}}
        after: list[Any] | None = None
        while True:
            body = run_search(
                client,
                settings.alerts_index,
                query=query,
                size=_PAGE,
                version=True,
                sort=[{"dedup_key": "asc"}],
                search_after=after,
            )
            for hit, alert in decode_hits(body, Alert):
                yield hit["_version"], alert
            hits = body["hits"]["hits"]
            if len(hits) < _PAGE:
                break
            after = hits[-1]["sort"]


def store_alert(client: Elasticsearch, settings: ElasticsearchSettings, alert: Alert, version: int) -> None:
    """Replace the stored alert, unless its document has a version above `version`.

    Raises Unavailable, AccessDenied, DependencyError.
    """
    with written(client, settings.alerts_index, alert_mapping({"type": "text"})):
        client.options(ignore_status=409).index(
            index=settings.alerts_index,
            id=alert.dedup_key,
            document=msgspec.to_builtins(alert),
            version=version,
            version_type="external_gte",
        )
