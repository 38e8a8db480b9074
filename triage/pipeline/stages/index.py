"""Stage 3: writes enriched records to Elasticsearch; a document rejected for its content becomes a dead letter.

If an index is the cause of a rejection, the batch waits.
"""

from triage.elastic.naming import IndexNaming
from triage.errors import IndexUnusable, InvalidRecord
from triage.metrics import Metrics
from triage.pipeline.batch import Batch
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.sinks.base import BulkResult, Document, Sink


class IndexStage:
    """Writes each enriched record to Elasticsearch under its `_id` and version, so that repeats change nothing."""

    name = "index"

    def __init__(
        self,
        sink: Sink,
        naming: IndexNaming,
        dead_letter_factory: DeadLetterFactory,
        metrics: Metrics,
        erased_authors: ErasedAuthors | None = None,
    ) -> None:
        """Create the stage; it writes no records of `erased_authors`.

        They are checked here too because the batch may have waited long for Elasticsearch.
        """
        self._erased_authors = erased_authors
        self._sink = sink
        self._naming = naming
        self._dead_letter_factory = dead_letter_factory
        self._metrics = metrics

        self._unusable: set[str] = set()

    def process(self, batch: Batch) -> None:
        if self._erased_authors:
            batch.enriched = self._erased_authors.exclude(batch.enriched)
        if not batch.enriched:
            return
        result = self._write(
            [
                Document(
                    item.document_id,
                    self._naming.index_for(item.validated.event_ms),
                    item.validated.version,
                    item.body,
                )
                for item in batch.enriched
            ]
        )
        self._metrics.index_conflicts.inc(result.conflicts)
        if not result.rejected:
            return
        messages = {message.position: message for message in batch.consumed}
        rejected = {position for position, _ in result.rejected}
        for position, reason in result.rejected:
            item = batch.enriched[position]
            assert item.validated.position is not None
            invalid = InvalidRecord("index_rejected", f"Elasticsearch rejected the document: {reason}", stage="index")
            batch.dead_letters.append(self._dead_letter_factory.create(messages[item.validated.position], invalid))
        batch.enriched = [item for index, item in enumerate(batch.enriched) if index not in rejected]

    def _write(self, documents: list[Document]) -> BulkResult:
        """Write the documents, and show in the metrics which index holds them up."""
        try:
            result = self._sink.write(documents)
        except IndexUnusable as error:
            self._unusable.add(error.index)
            self._metrics.index_unusable.labels(error.index).set(1)
            raise
        while self._unusable:
            self._metrics.index_unusable.remove(self._unusable.pop())
        return result
