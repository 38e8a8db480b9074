"""Hostile records through the whole worker: each becomes a document or a dead letter, soon, and nothing crashes."""

import json
import time

import msgspec
import pytest
from hostile import RECORDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worker_rig import NOW, TOPIC, Rig

from triage.pipeline.dead_letters.origin_headers import Origin, with_origin
from triage.types import Position

# For one record on a busy machine; what grows faster than its input exceeds it by far.
MOST_S = 20.0


def _run(*payloads):
    rig = Rig()
    rig.send(*payloads)
    started = time.monotonic()
    rig.run()
    return rig, time.monotonic() - started


def _assert_answered(rig, count):
    documents, dead = rig.produced("enriched"), rig.produced("dead-letter")
    assert len(documents) + len(dead) == count
    assert rig.source.committed == {(TOPIC, 0): count}
    for record in documents:
        # Everything downstream can read it: as UTF-8 JSON, with entities where they are said to be.
        json.dumps(record, ensure_ascii=False).encode()
        assert len(json.dumps(record)) < 5_000_000
        for entity in record["entities"]:
            assert record["text"][entity["start"] : entity["end"]] == entity["text"]
    for letter in dead:
        assert letter["stage"] in {"decode", "validate", "enrich", "index"}
        assert len(letter["payload"]) < 100_000


@pytest.mark.parametrize("name", RECORDS)
def test_each_is_answered_in_time(name):
    rig, seconds = _run(RECORDS[name])
    _assert_answered(rig, 1)
    assert seconds < MOST_S


def test_between_good_records_they_hurt_nobody():
    good = json.dumps({"text": "My parcel never arrived"}).encode()
    small = [payload for payload in RECORDS.values() if len(payload) < 20_000]
    rig, _ = _run(*(each for payload in small for each in (good, payload)))
    _assert_answered(rig, 2 * len(small))
    assert sum(r["text"] == "My parcel never arrived" for r in rig.produced("enriched")) == len(small)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=10), inner, max_size=4)
    ),
    max_leaves=15,
)
FIELDS = st.sampled_from(
    ["text", "id", "created_at", "source", "author_id", "brand", "url", "language", "rating", "attributes", "other"]
)
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=8))
def test_any_bytes(payloads):
    _assert_answered(_run(*payloads)[0], len(payloads))


@QUICK
@given(st.lists(st.dictionaries(FIELDS, JSON, max_size=8), min_size=1, max_size=6), st.booleans())
def test_any_json(records, ascii_only):
    payloads = [json.dumps(record, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for record in records]
    _assert_answered(_run(*payloads)[0], len(payloads))


@QUICK
@given(st.lists(st.tuples(st.text(max_size=20), st.none() | st.binary(max_size=60)), max_size=4), st.booleans())
def test_any_headers(headers, replayed):
    rig = Rig()
    if replayed:
        headers = with_origin(headers, Origin(Position(TOPIC, 0, 3), NOW - 1, 1)) + headers
    for payload in (b'{"text": "a"}', b"broken"):
        rig.source.append(TOPIC, payload, timestamp_ms=NOW, headers=tuple(headers))
    rig.run()
    _assert_answered(rig, 2)


REPLAY = st.sampled_from(["triage-original-position", "triage-original-timestamp-ms", "triage-attempts"])
VALUES = st.none() | st.binary(max_size=20) | st.integers().map(lambda number: str(number).encode())
POSITIONS = st.integers().map(lambda number: f"{TOPIC}/0/{number}".encode())


@QUICK
@given(st.lists(st.tuples(REPLAY, VALUES | POSITIONS), max_size=6))
def test_any_replay_headers(headers):
    rig = Rig()
    for payload in (b'{"text": "a"}', b"broken"):
        rig.source.append(TOPIC, payload, timestamp_ms=NOW, headers=tuple(headers))
    rig.run()
    _assert_answered(rig, 2)


@QUICK
@given(st.binary(max_size=300))
def test_letters_never_hold_bytes_that_are_no_text(payload):
    rig, _ = _run(b"\xff" + payload)
    (letter,) = rig.produced("dead-letter")
    assert letter["payload"].startswith(f"<{len(payload) + 1} bytes that are not UTF-8")
    msgspec.json.encode(letter)
