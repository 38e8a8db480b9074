"""The newest version of a record is the document that stays, in whatever order and batches its versions arrive."""

import itertools
import json
import random

import pytest
from worker_rig import NOW, TOPIC, Rig

from triage.pipeline.batch import ValidatedRecord
from triage.schemas.raw import parse_raw
from triage.schemas.version import timed_version
from triage.sinks.base import Document
from triage.types import Channel, Position

IDS, VERSIONS = 30, 5


def _record(source_id, number, **fields):
    return json.dumps(
        {"id": source_id, "source": "desk", "text": f"text v{number}", "created_at": NOW} | fields
    ).encode()


@pytest.mark.parametrize("batch", [1, 7, 512])
@pytest.mark.parametrize("adjacent", [False, True])
def test_within_a_partition_the_later_of_equal_times_wins(batch, adjacent):
    rig = Rig(**{"worker.max_batch_records": batch})
    pairs = list(itertools.product(range(IDS), range(VERSIONS)))
    rig.send(*(_record(f"t{n}", v) for n, v in (pairs if adjacent else sorted(pairs, key=lambda pair: pair[1]))))
    rig.run()
    assert [body["text"] for body in rig.bodies()] == [f"text v{VERSIONS - 1}"] * IDS
    last = {
        message.key: json.loads(message.value) for message in rig.source.produced if message.topic.endswith("enriched")
    }
    assert {record["text"] for record in last.values()} == {f"text v{VERSIONS - 1}"}


@pytest.mark.parametrize("version", [lambda v: v, lambda v: f"2026-11-22T09:0{v}:00Z", lambda v: str(v / 10)])
def test_over_partitions_the_highest_named_version_wins(version):
    rig = Rig(**{"worker.max_batch_records": 7})
    rows = [(f"t{n}", v) for n in range(IDS) for v in range(VERSIONS)]
    random.Random(4).shuffle(rows)
    for number, (source_id, v) in enumerate(rows):
        rig.send(_record(source_id, v, version=version(v)), partition=number % 3)
    rig.run()
    assert {body["text"] for body in rig.bodies()} == {f"text v{VERSIONS - 1}"}
    assert len(rig.bodies()) == IDS


def test_a_record_that_names_its_version_replaces_one_without_and_is_not_replaced_by_one():
    rig = Rig()
    rig.source.append(TOPIC, _record("a", 0), timestamp_ms=NOW)
    rig.source.append(TOPIC, _record("a", 1, version=1), timestamp_ms=NOW - 10_000)
    rig.source.append(TOPIC, _record("a", 2), timestamp_ms=NOW + 10_000)
    rig.run()
    assert [body["text"] for body in rig.bodies()] == ["text v1"]


def test_a_wrong_version_is_a_dead_letter():
    rig = Rig()
    rig.send(_record("a", 0, version="2.3.1"))
    rig.run()
    (letter,) = rig.produced("dead-letter")
    assert (letter["reason"], letter["field"]) == ("bad_version", "version")


def test_records_without_id_at_the_same_position_of_another_time_are_others():
    payload = json.dumps({"text": "no id", "created_at": NOW}).encode()
    ids = set()
    for at_ms in (NOW, NOW, NOW + 1):
        rig = Rig()
        rig.source.append(TOPIC, payload, timestamp_ms=at_ms)
        rig.run()
        ids.update(rig.sink.documents)
    assert len(ids) == 2


def test_of_one_millisecond_an_earlier_record_never_replaces_a_later_one():
    rig = Rig()
    for number in range(2):
        rig.source.append(TOPIC, _record("a", number), timestamp_ms=NOW)
    rig.run()
    (((index, identity), stored),) = rig.sink.documents.items()
    # As a worker that was frozen past its session writes what its successor has written meanwhile, and more.
    late = Document(identity, index, timed_version(NOW, 0), b'{"text": "text v0"}')
    assert rig.sink.write([late]).conflicts == 1
    assert rig.sink.documents[index, identity] == stored
    assert stored.version == timed_version(NOW, 1)


def test_a_replayed_dead_letter_keeps_its_first_place_in_the_order():
    raw = parse_raw(_record("a", 0))
    replayed = ValidatedRecord(
        raw, Channel.COMPLAINT, NOW, "a", Position(TOPIC, 0, 900), NOW, original=Position(TOPIC, 0, 7)
    )
    assert replayed.version == timed_version(NOW, 7)
