"""Examples and top values behind an alert, from Elasticsearch; a page goes out without them when it is down."""

import contextlib

from elasticsearch import Elasticsearch

from triage.alerting.lifecycle import Evidence
from triage.config import ElasticsearchSettings
from triage.elastic.errors import translated
from triage.elastic.search import examples, top_intents, top_terms
from triage.errors import AccessDenied, TriageError
from triage.logging import get_logger
from triage.redaction.kinds import KINDS
from triage.schemas.alert import Alert

log = get_logger("triage.alerter")

_EXAMPLES = 3
_TOP = 5
# That many records hold some redacted number says nothing about the spike.
_PLACEHOLDERS = {kind.placeholder for kind in KINDS.values()}


class IndexEvidence:
    """Looks an alert's window up in the feedback indices. Blocks; returns None where Elasticsearch does not answer."""

    def __init__(self, client: Elasticsearch, settings: ElasticsearchSettings, timeout_s: float = 3.0) -> None:
        self._client = client.options(request_timeout=timeout_s)
        self._settings = settings

    def __call__(self, alert: Alert, end_ms: int) -> Evidence | None:
        start_ms = end_ms - alert.window_s * 1000
        dimensions = alert.dimensions
        negative = {**dimensions, "sentiment": "negative"}
        client, settings = self._client, self._settings
        try:
            # Records reach the index before their counts, but a search sees them only after the next refresh. That
            # needs a right of its own; without it the page has the examples that were visible already.
            with contextlib.suppress(AccessDenied), translated():
                client.indices.refresh(index=settings.index_prefix, ignore_unavailable=True)
            return Evidence(
                # A page about one intent need not say that all of it is that intent.
                top_intents=[]
                if "intent" in dimensions
                else top_intents(client, settings, start_ms, end_ms, dimensions=dimensions, size=_TOP),
                top_entities=[
                    share
                    for share in top_terms(
                        client, settings, "entities.text", negative, start_ms, end_ms, size=_TOP + len(_PLACEHOLDERS)
                    )
                    if share.value not in _PLACEHOLDERS
                ][:_TOP],
                examples=examples(client, settings, dimensions, start_ms, end_ms, _EXAMPLES),
            )
        except TriageError as error:
            log.warning("page_without_examples", dedup_key=alert.dedup_key, error=str(error))
            return None
