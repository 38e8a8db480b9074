"""The decode stage on a batch: what becomes a record, a dead letter or nothing, and what is counted."""

import json

import msgspec
import pytest
from worker_rig import NOW, TOPIC, Rig

from triage.pipeline.batch import Batch, ConsumedMessage
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.dead_letters.origin_headers import Origin, with_origin
from triage.pipeline.erasure.tombstones import ErasedAuthors
from triage.pipeline.stages.decode import DecodeStage
from triage.schemas.forgotten import ForgottenAuthor
from triage.types import Channel, Position


@pytest.fixture(scope="module")
def rig():
    return Rig()


def decoded(rig, *payloads, authors=None, headers=()):
    """The batch after the stage, and what it added to each counter."""
    counters = {
        "consumed": rig.metrics.records_consumed.labels(Channel.COMPLAINT),
        "forgotten": rig.metrics.records_forgotten,
        "unknown": rig.metrics.unknown_fields,
    }
    before = {name: counter._value.get() for name, counter in counters.items()}
    batch = Batch(
        [
            ConsumedMessage(
                Position(TOPIC, 0, n), NOW + n, p if isinstance(p, bytes) else json.dumps(p).encode(), headers
            )
            for n, p in enumerate(payloads)
        ]
    )
    factory = DeadLetterFactory(rig.redactor, rig.clock, rig.metrics)
    DecodeStage(rig.settings.worker, {TOPIC: Channel.COMPLAINT}, factory, rig.clock, rig.metrics, authors).process(
        batch
    )
    return batch, {name: counter._value.get() - before[name] for name, counter in counters.items()}


def erased(rig, author, at_ms):
    authors = ErasedAuthors(rig.redactor)
    authors.put(msgspec.json.encode(ForgottenAuthor(author=rig.redactor.author_hash("shop", author), at_ms=at_ms)))
    return authors


def test_valid_records_go_on_and_the_rest_are_dead_letters(rig):
    batch, counted = decoded(
        rig, {"text": "a", "id": "r0", "x": 1, "y": 2}, b"{", {"text": "b", "created_at": NOW - 1_000}
    )
    first, second = batch.validated
    assert (first.raw.text, first.channel, first.event_ms, first.broker_ms) == ("a", Channel.COMPLAINT, NOW, NOW)
    assert (second.event_ms, second.broker_ms) == (NOW - 1_000, NOW + 2)
    assert len(batch.dead_letters) == 1
    assert counted == {"consumed": 3, "forgotten": 0, "unknown": 2}


def test_records_and_broken_payloads_of_erased_authors_are_neither(rig):
    authors = erased(rig, "anna", NOW + 1)
    record = {"text": "a", "source": "shop", "author_id": "anna"}
    batch, counted = decoded(rig, record, {**record, "text": ""}, record, {**record, "text": ""}, authors=authors)
    assert [found.position.offset for found in batch.validated] == [2], "written after the erasure"
    assert len(batch.dead_letters) == 1
    assert counted["forgotten"] == 2


def test_other_authors_are_not_erased(rig):
    record = {"text": "a", "source": "shop", "author_id": "ben"}
    batch, counted = decoded(rig, record, {**record, "text": ""}, authors=erased(rig, "anna", NOW + 9))
    assert (len(batch.validated), len(batch.dead_letters), counted["forgotten"]) == (1, 1, 0)


def test_a_replayed_record_keeps_the_position_and_time_of_its_first_copy(rig):
    origin = Origin(Position(TOPIC, 2, 41), NOW - 60_000, 1)
    batch, _ = decoded(rig, {"text": "a"}, headers=tuple(with_origin([], origin)))
    (record,) = batch.validated
    assert (record.broker_ms, record.event_ms) == (NOW - 60_000, NOW - 60_000)
    assert (record.event_id, record.original) == (str(Position(TOPIC, 2, 41)), Position(TOPIC, 2, 41))
