"""What an author who is forgotten has in a batch that waits for Elasticsearch is not written any more."""

import json
from datetime import date

import msgspec
import pytest
from worker_rig import NOW, TOPIC, Rig

from triage.elastic.naming import IndexNaming
from triage.errors import IndexUnusable, Unavailable
from triage.pipeline.batch import Batch, ConsumedMessage
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import EnrichStage
from triage.pipeline.stages.index import IndexStage
from triage.schemas.forgotten import ForgottenAuthor
from triage.sinks.memory import MemorySink
from triage.types import Channel, Position


def _batch(rig, dead_letter_factory, authors):
    payloads = [{"id": f"r{n}", "source": "shop", "author_id": author, "text": "It never arrived"}
                for n, author in enumerate(["ben", None, "anna"])]  # fmt: skip
    batch = Batch([
        ConsumedMessage(Position(TOPIC, 0, n), NOW + n, json.dumps(payload).encode())
        for n, payload in enumerate(payloads)
    ])  # fmt: skip
    DecodeStage(
        rig.settings.worker, {TOPIC: Channel.COMPLAINT}, dead_letter_factory, rig.clock, rig.metrics, authors
    ).process(batch)
    EnrichStage(rig.enricher, rig.metrics).process(batch)
    return batch


@pytest.mark.parametrize(("at_ms", "written"), [(NOW + 2, {"r0", "r1"}), (NOW + 1, {"r0", "r1", "r2"})])
def test_forgotten_while_the_batch_waited(at_ms, written):
    rig, sink = Rig(), MemorySink()
    dead_letter_factory = DeadLetterFactory(rig.redactor, rig.clock, rig.metrics)
    authors = ErasedAuthors(rig.redactor)
    batch = _batch(rig, dead_letter_factory, authors)
    stage = IndexStage(sink, IndexNaming("feedback", date(2026, 10, 1)), dead_letter_factory, rig.metrics, authors)
    sink.outage(1)
    with pytest.raises(Unavailable):
        stage.process(batch)
    entry = ForgottenAuthor(author=rig.redactor.author_hash("shop", "anna"), at_ms=at_ms)
    authors.put(msgspec.json.encode(entry))
    stage.process(batch)
    assert {json.loads(stored.body)["event"]["id"] for stored in sink.documents.values()} == written
    assert {item.record.event.id for item in batch.enriched} == written


class Unusable(MemorySink):
    """Refuses all documents, as an index does that lacks a field, until `mended`."""

    mended = False

    def write(self, documents):
        if not self.mended:
            raise IndexUnusable("elasticsearch", "index feedback-2026.11.22 lacks brand", "feedback-2026.11.22")
        return super().write(documents)


def test_a_batch_waits_for_its_index_to_be_mended_and_nothing_is_dead_lettered():
    rig, sink = Rig(), Unusable()
    dead_letter_factory = DeadLetterFactory(rig.redactor, rig.clock, rig.metrics)
    batch = _batch(rig, dead_letter_factory, ErasedAuthors(rig.redactor))
    stage = IndexStage(sink, IndexNaming("feedback", date(2026, 10, 1)), dead_letter_factory, rig.metrics)
    shown = lambda: rig.metrics.registry.get_sample_value(  # noqa: E731
        "triage_index_unusable", {"index": "feedback-2026.11.22"}
    )
    for _ in range(2):
        with pytest.raises(IndexUnusable):
            stage.process(batch)
        assert shown() == 1
    sink.mended = True
    stage.process(batch)
    assert shown() is None
    assert (len(batch.enriched), batch.dead_letters) == (3, [])
