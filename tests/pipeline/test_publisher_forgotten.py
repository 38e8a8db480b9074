"""What an author who is forgotten has in a batch that waits to be published is not published any more."""

import json

import msgspec
import pytest
from worker_rig import NOW, TOPIC, Rig

from triage.errors import Unavailable
from triage.pipeline.batch import Batch
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.pipeline.publisher import Publisher
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import EnrichStage
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.schemas.forgotten import ForgottenAuthor
from triage.types import Channel


class Publishing:
    """A batch of these records, (author, text) each, of which the ones without text are dead letters."""

    def __init__(self, *records):
        self.rig = rig = Rig()
        self.authors = ErasedAuthors(rig.redactor)
        dead_letter_factory = DeadLetterFactory(rig.redactor, rig.clock, rig.metrics)
        settings = rig.settings
        self.publisher = Publisher(
            settings.kafka, settings.alerting, PartitionWatermarks(rig.clock), rig.metrics, rig.clock, self.authors
        )
        for n, (author, text) in enumerate(records):
            payload = {"id": f"r{n}", "source": "shop", "author_id": author, "text": text}
            rig.source.append(TOPIC, json.dumps(payload).encode(), timestamp_ms=NOW + n)
        self.batch = Batch(rig.source.poll(0, 100))
        DecodeStage(settings.worker, {TOPIC: Channel.COMPLAINT}, dead_letter_factory, rig.clock, rig.metrics).process(
            self.batch
        )
        EnrichStage(rig.enricher, rig.metrics).process(self.batch)

    def forget(self, author, at_ms):
        entry = ForgottenAuthor(author=self.rig.redactor.author_hash("shop", author), at_ms=at_ms)
        self.authors.put(msgspec.json.encode(entry))

    def publish(self):
        self.publisher.publish(self.rig.source, self.batch)
        enriched = {each["event"]["id"] for each in self.rig.produced("enriched")}
        return enriched, {each["offset"] for each in self.rig.produced("dead-letter")}


@pytest.fixture
def waiting():
    return Publishing(
        ("ben", "It never arrived"), ("anna", "It never arrived"), ("anna", ""), ("ben", ""), (None, "It is broken")
    )


def test_it_is_left_out_at_the_next_try_and_passed_over(waiting):
    waiting.rig.source.fail_commits = [Unavailable("kafka", "away")]
    with pytest.raises(Unavailable):
        waiting.publish()
    waiting.forget("anna", NOW + 10)
    assert waiting.publish() == ({"r0", "r4"}, {3})
    assert waiting.rig.source.committed == {(TOPIC, 0): 5}
    assert sum(count.total for count in waiting.rig.counts()) == 2
    (counted,) = [each for each in waiting.rig.produced("window-counts") if "last_offset" in each]
    assert (counted["first_offset"], counted["last_offset"]) == (0, 4)


@pytest.mark.parametrize(("at_ms", "enriched", "dead"), [
    (NOW, {"r0", "r1", "r4"}, {2, 3}), (NOW + 1, {"r0", "r4"}, {2, 3}), (NOW + 2, {"r0", "r4"}, {3}),
])  # fmt: skip
def test_what_is_newer_than_the_request_is_published(waiting, at_ms, enriched, dead):
    waiting.forget("anna", at_ms)
    assert waiting.publish() == (enriched, dead)


def test_a_batch_of_nothing_else_commits_its_offsets():
    waiting = Publishing(("anna", "It never arrived"), ("anna", ""))
    waiting.forget("anna", NOW + 10)
    assert waiting.publish() == (set(), set())
    assert waiting.rig.source.committed == {(TOPIC, 0): 2}
