"""A record that is put into its topic again stays the record that it was."""

import json

import pytest
from worker_rig import NOW, TOPIC, Rig

from triage.pipeline.dead_letters.origin_headers import Origin, with_origin
from triage.schemas.enriched import document_id
from triage.schemas.version import timed_version
from triage.types import Channel, Position

RECORD = json.dumps({"text": "My parcel never arrived"}).encode()
FIRST = Position(TOPIC, 0, 7)


def _copy(rig, value, timestamp_ms=NOW - 5_000, position=FIRST, attempts=1, headers=()):
    headers = tuple(with_origin(headers, Origin(position, timestamp_ms, attempts)))
    rig.source.append(TOPIC, value, timestamp_ms=NOW, headers=headers)


def test_identity_version_and_event_time_are_those_of_the_original():
    rig = Rig()
    _copy(rig, RECORD)
    rig.run()
    (record,) = rig.produced("enriched")
    assert record["event"]["id"] == str(FIRST)
    assert record["@timestamp"] == "2026-11-22T09:29:55.000Z"
    ((_, identity), stored), *_ = rig.sink.documents.items()
    assert identity == document_id(Channel.COMPLAINT, None, None, FIRST, NOW - 5_000)
    assert stored.version == timed_version(NOW - 5_000, FIRST.offset)
    assert [m.key.decode() for m in rig.source.produced if m.topic == "feedback.enriched"] == [identity]
    assert rig.metrics.registry.get_sample_value("triage_record_latency_seconds_count") == 0


def test_a_copy_that_fails_again_is_known_under_its_first_position():
    rig = Rig()
    _copy(rig, b"still broken", attempts=2)
    rig.run()
    (letter,) = rig.produced("dead-letter")
    assert (letter["offset"], letter["original"], letter["attempts"]) == (0, str(FIRST), 3)
    assert letter["schema_version"] == 3
    assert letter["error"] == "DecodeError"
    (message,) = [m for m in rig.source.produced if m.topic == "feedback.dead-letter"]
    assert message.key.decode() == str(FIRST)


@pytest.mark.parametrize(
    "wrong",
    [
        {"position": Position("feedback.social", 0, 7)},
        {"timestamp_ms": NOW + 1},
        {"timestamp_ms": -1},
        {"attempts": -1},
        {"attempts": int("9" * 4_300)},
        {"position": Position(TOPIC, 0, int("9" * 4_300))},
    ],
)
def test_headers_that_cannot_be_are_a_dead_letter_of_the_copy_itself(wrong):
    rig = Rig()
    _copy(rig, RECORD, **wrong)
    rig.run()
    (letter,) = rig.produced("dead-letter")
    assert (letter["reason"], letter["stage"]) == ("bad_replay_header", "decode")
    assert "original" not in letter
    assert rig.produced("enriched") == []


@pytest.mark.parametrize("text", [b"", b"nonsense", b"feedback.complaints/x/1", b"feedback.complaints/0/-1", b"\xff"])
def test_an_unreadable_position_too(text):
    rig = Rig()
    rig.source.append(TOPIC, RECORD, timestamp_ms=NOW, headers=(("triage-original-position", text),))
    rig.run()
    assert [letter["reason"] for letter in rig.produced("dead-letter")] == ["bad_replay_header"]


@pytest.mark.parametrize("name", ["triage-original-position", "triage-original-timestamp-ms", "triage-attempts"])
@pytest.mark.parametrize("value", [None, b"", b"\xff", b"1e3", b"9" * 5_000])
@pytest.mark.parametrize("payload", [RECORD, b"broken"])
def test_any_one_header_that_no_replay_writes_is_a_dead_letter(name, value, payload):
    rig = Rig()
    headers = [(each, value if each == name else good) for each, good in with_origin([], Origin(FIRST, NOW - 1, 1))]
    rig.source.append(TOPIC, payload, timestamp_ms=NOW, headers=tuple(headers))
    rig.run()
    assert [letter["reason"] for letter in rig.produced("dead-letter")] == ["bad_replay_header"]


def test_a_copy_keeps_the_other_headers_and_names_its_origin_once():
    origin = Origin(FIRST, 5, 1)
    twice = with_origin(with_origin([("trace", b"1")], origin), origin._replace(attempts=2))
    assert twice == [
        ("trace", b"1"),
        ("triage-original-position", str(FIRST).encode()),
        ("triage-original-timestamp-ms", b"5"),
        ("triage-attempts", b"2"),
    ]
