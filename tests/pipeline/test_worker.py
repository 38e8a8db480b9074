"""The runner over a broker and an index in memory: batches, retries, rebalances, fencing, draining."""

import json
from datetime import date

import msgspec
import pytest
from doubles import WordModel

from triage.clock import ManualClock
from triage.config import load_settings
from triage.elastic.naming import IndexNaming
from triage.errors import Fenced, Unavailable
from triage.metrics import Metrics
from triage.pipeline.deadletters import DeadLetterOffice
from triage.pipeline.decode import DecodeStage
from triage.pipeline.enrich import Enricher, EnrichStage
from triage.pipeline.health import Health
from triage.pipeline.index import IndexStage
from triage.pipeline.memory_feed import MemoryFeed
from triage.pipeline.publish import Publisher
from triage.pipeline.watermarks import PartitionWatermarks
from triage.pipeline.worker import Worker
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.schemas.counts import CountMessage, WindowCount
from triage.sinks.memory import MemorySink
from triage.types import Channel

NOW = 1_795_339_800_000
TOPIC = "feedback.complaints"


class RefusingSink(MemorySink):
    """Refuses documents that hold a word, for good, as a mapping conflict would."""

    def write(self, documents):
        refused = [n for n, document in enumerate(documents) if b"unmappable" in document.body]
        result = super().write([d for n, d in enumerate(documents) if n not in refused])
        result.rejected = [(n, "strict_dynamic_mapping_exception") for n in refused]
        return result


def outage(writes):
    sink = MemorySink()
    sink.outage(writes)
    return sink


class Rig:
    def __init__(self, sink=None, **flags):
        self.settings = load_settings(None, {"worker.batch_wait_ms": 1, **flags})
        self.clock = ManualClock(NOW)
        self.metrics = Metrics()
        self.feed = MemoryFeed()
        self.sink = sink or MemorySink()
        self.model = WordModel()
        redactor = Redactor(self.settings.redaction)
        office = DeadLetterOffice(redactor, self.clock, self.metrics)
        enricher = Enricher(self.model, redactor, load_rules(None), self.settings.worker, self.clock)
        self.connects = 0
        self.health = Health(self.clock)
        self.worker = Worker(
            self._connect,
            [
                DecodeStage(self.settings.worker, {TOPIC: Channel.COMPLAINT}, office, self.clock, self.metrics),
                EnrichStage(enricher, self.metrics),
                IndexStage(self.sink, IndexNaming("feedback", date(2026, 10, 1)), office, self.metrics),
            ],
            Publisher(
                self.settings.kafka, self.settings.alerting, PartitionWatermarks(self.clock), self.metrics, self.clock
            ),
            self.settings.worker,
            self.clock,
            self.metrics,
            self.health,
        )

    def _connect(self):
        self.connects += 1
        return self.feed.reopen()

    def send(self, *payloads, partition=0):
        for payload in payloads:
            self.feed.append(TOPIC, payload, timestamp_ms=NOW, partition=partition)

    def run(self, keep_alive=lambda: None):
        """Run until everything is consumed, then stop as SIGTERM would; `keep_alive` is called while waiting."""
        poll = self.feed.poll

        def polled(timeout_ms, max_records):
            self.clock.advance(timeout_ms / 1000 + 0.001)
            found = poll(timeout_ms, max_records)
            if not found and all(state.lag == 0 for state in self.feed.partitions().values()):
                self.worker.stop()
            return found

        def kept_alive():
            self.clock.advance(0.1)
            keep_alive()

        self.feed.poll = polled
        self.feed.on_keep_alive = kept_alive
        self.worker.run()

    def produced(self, topic):
        return [json.loads(m.value) for m in self.feed.produced if m.topic == f"feedback.{topic}"]

    def bodies(self):
        return [json.loads(stored.body) for stored in self.sink.documents.values()]

    def counts(self):
        messages = [m for m in self.feed.produced if m.topic == "feedback.window-counts"]
        decoded = [msgspec.json.decode(m.value, type=CountMessage) for m in messages]
        return [c for c in decoded if isinstance(c, WindowCount) and c.key == ""]


def _record(n, text="My parcel never arrived"):
    return json.dumps({"id": f"r{n}", "text": text}).encode()


def _assert_exactly_once(rig, ids):
    assert sorted(r["event"]["id"] for r in rig.produced("enriched")) == sorted(ids)
    assert sorted(d["event"]["id"] for d in rig.bodies()) == sorted(ids)
    assert sum(c.total for c in rig.counts()) == len(ids)


def test_valid_records_come_out_enriched_and_invalid_ones_as_dead_letters():
    rig = Rig()
    rig.send(_record(1), b"oops", _record(2, "I love it"), b'{"text": ""}')
    rig.run()
    _assert_exactly_once(rig, ["r1", "r2"])
    dead = rig.produced("dead-letter")
    assert [(d["reason"], d["offset"]) for d in dead] == [("not_json", 1), ("empty_text", 3)]
    assert rig.feed.committed == {(TOPIC, 0): 4}
    assert rig.feed.closed
    assert sum(c.negative for c in rig.counts()) == 1


def test_a_dead_letter_holds_no_personal_data():
    rig = Rig()
    rig.send(b'{"text": 5, "note": "mail jane@example.com or call +1 415 555 2671"}', b"raw jane@example.com")
    rig.run()
    for letter in rig.produced("dead-letter"):
        assert "jane@example.com" not in json.dumps(letter)
        assert "555 2671" not in json.dumps(letter)


def test_elasticsearch_away_pauses_and_retries_until_it_is_back():
    rig = Rig(outage(5))
    rig.send(*(_record(n) for n in range(10)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])
    assert rig.metrics.registry.get_sample_value("triage_retries_total", {"dependency": "memory index"}) == 5
    assert rig.health.ready()[0]


def test_an_aborted_transaction_is_repeated_whole():
    rig = Rig()
    rig.feed.fail_commits = [Unavailable("kafka", "the group rebalances")] * 3
    rig.send(*(_record(n) for n in range(10)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])


def test_a_fenced_feed_is_rebuilt_and_reads_again_from_the_committed_offsets():
    rig = Rig()
    rig.feed.fail_commits = [Fenced("a successor took the transactional id")]
    rig.send(*(_record(n) for n in range(10)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])
    assert rig.connects == 2


def test_records_of_a_partition_lost_while_waiting_are_left_to_its_new_owner():
    rig = Rig(outage(2))
    rig.send(*(_record(n) for n in range(5)))
    rig.send(*(_record(n) for n in range(5, 10)), partition=1)
    revocations = iter([lambda: rig.feed.revoke((TOPIC, 1))])

    def rebalance_once():
        if revoke := next(revocations, None):
            revoke()

    rig.run(rebalance_once)
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])
    assert rig.feed.transactions >= 2


def test_stopping_while_elasticsearch_is_away_gives_the_batch_back():
    rig = Rig(outage(10_000))
    rig.send(*(_record(n) for n in range(3)))

    rig.run(rig.worker.stop)
    assert rig.feed.produced == []
    assert rig.feed.committed == {}
    assert rig.feed.closed


def test_a_document_that_elasticsearch_refuses_becomes_a_dead_letter():
    rig = Rig(RefusingSink())
    rig.send(_record(1), _record(2, "unmappable"), _record(3))
    rig.run()
    _assert_exactly_once(rig, ["r1", "r3"])
    assert [(d["stage"], d["reason"], d["offset"]) for d in rig.produced("dead-letter")] == [
        ("index", "index_rejected", 1)
    ]


def test_a_repeated_id_replaces_the_document_and_is_counted_again():
    rig = Rig()
    rig.send(_record(1), _record(1, "I love it"))
    rig.run()
    assert [body["text"] for body in rig.bodies()] == ["I love it"]
    assert sum(c.total for c in rig.counts()) == 2


@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_of_any_size_give_the_same_result(size):
    rig = Rig(**{"worker.max_batch_records": size})
    rig.send(*(_record(n) for n in range(50)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(50)])
    assert max(len(call) for call in rig.model.calls) <= size
