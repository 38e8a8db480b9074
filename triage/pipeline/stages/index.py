"""Stage 3: enriched records to Elasticsearch; what it refuses for good becomes a dead letter."""

from triage.elastic.naming import IndexNaming
from triage.errors import InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import Batch
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.sinks.base import Document, Sink


class IndexStage:
    """Writes each record under its own `_id` with the broker's timestamp as version, so that repeats change nothing."""

    name = "index"

    def __init__(
        self,
        sink: Sink,
        naming: IndexNaming,
        office: DeadLetterFactory,
        metrics: Metrics,
        forgotten: ErasedAuthors | None = None,
    ) -> None:
        """What a `forgotten` author wrote leaves the batch here, too: it may have waited long for Elasticsearch."""
        self._forgotten = forgotten
        self._sink = sink
        self._naming = naming
        self._office = office
        self._metrics = metrics

    def process(self, batch: Batch) -> None:
        if self._forgotten:
            batch.enriched = self._forgotten.exclude(batch.enriched)
        if not batch.enriched:
            return
        result = self._sink.write(
            [
                Document(
                    item.document_id, self._naming.index_for(item.accepted.event_ms), item.accepted.broker_ms, item.body
                )
                for item in batch.enriched
            ]
        )
        self._metrics.index_conflicts.inc(result.conflicts)
        if not result.rejected:
            return
        messages = {message.position: message for message in batch.incoming}
        refused = {position for position, _ in result.rejected}
        for position, reason in result.rejected:
            item = batch.enriched[position]
            assert item.accepted.position is not None
            invalid = InvalidRecord("index_rejected", f"Elasticsearch refused the document: {reason}", stage="index")
            batch.dead.append(self._office.letter(messages[item.accepted.position], invalid))
        batch.enriched = [item for index, item in enumerate(batch.enriched) if index not in refused]
