"""Hostile records through the whole worker: each becomes a document or a dead letter, soon, and nothing crashes."""

import json
import time

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worker_rig import NOW, TOPIC, Rig

from triage.pipeline.dead_letters.origin_headers import Origin, with_origin
from triage.types import Position

# For one record on a busy machine; what grows faster than its input exceeds it by far.
MOST_S = 20.0


def _deep(open_, close, depth, inner=b"1"):
    return open_ * depth + inner + close * depth


CORPUS = {
    "deep lists": b'{"text": "a", "x": ' + _deep(b"[", b"]", 100_000) + b"}",
    "deep objects": b'{"text": "a", "x": ' + _deep(b'{"a":', b"}", 100_000) + b"}",
    "deep attributes": b'{"text": "a", "attributes": ' + _deep(b'{"a":', b"}", 500) + b"}",
    "unclosed": b"[" * 1_000_000,
    "huge integer": b'{"text": "a", "rating": ' + b"9" * 100_000 + b"}",
    "huge exponent": b'{"text": "a", "rating": 1e999999, "created_at": -1e308}',
    "huge integer in attributes": b'{"text": "a", "n": ' + b"9" * 5_000 + b"}",
    "huge integer as author": b'{"text": "a", "author_id": ' + b"9" * 5_000 + b"}",
    "integer of 19 digits": b'{"text": "a", "n": 9223372036854775808, "id": 18446744073709551616}',
    "not a number": b'{"text": "a", "rating": NaN}',
    "infinite attribute": b'{"text": "a", "x": 1e400}',
    "nul": b'{"text": "a\\u0000b", "brand": "A\\u0000", "id": "\\u0000"}',
    "nul bytes": b"\x00" * 10_000,
    "invalid utf-8": b'{"text": "\xc3\x28\xa0\xa1"}',
    "overlong utf-8": b'{"text": "\xc0\xaf"}',
    "utf-16": '{"text": "a"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"text": "a"}',
    "lone surrogate": b'{"text": "\\ud800 parcel", "brand": "\\udfff", "id": "\\ud800", "k\\ud800": 1}',
    "lone surrogates in author": b'{"text": "a", "author_id": "\\ud800", "source": "\\udc00"}',
    "right to left": json.dumps({"text": "\u202ecod.exe\u202c \u2066x\u2069 call 555\u200b-0199 now"}).encode(),
    "zero width": json.dumps({"text": "4111\u200b1111\u200c1111\u200d1111 \ufeff a\u00adb@c\u2060.com"}).encode(),
    "combining": json.dumps({"text": "e" + "\u0301" * 19_000}).encode(),
    "one long word": json.dumps({"text": "a" * 1_000_000}).encode(),
    "one long han word": json.dumps({"text": "微" * 500_000}).encode(),
    "digits": json.dumps({"text": "1" * 1_000_000}).encode(),
    "digits apart": json.dumps({"text": "1 " * 500_000}).encode(),
    "at signs": json.dumps({"text": "@" * 1_000_000}).encode(),
    "mail-like": json.dumps({"text": "a@a." * 250_000}).encode(),
    "dots": json.dumps({"text": "a." * 500_000}).encode(),
    "urls": json.dumps({"text": "http://a/" * 100_000}).encode(),
    "url of percents": json.dumps({"text": "http://a.example/" + "%25" * 100_000}).encode(),
    "brackets": json.dumps({"text": "[" * 500_000 + "EMAIL"}).encode(),
    "money": json.dumps({"text": "$1,1,1,1," * 100_000}).encode(),
    "plus signs": json.dumps({"text": "+" * 300_000 + "1"}).encode(),
    "quotes and backslashes": json.dumps({"text": '\\"' * 300_000}).encode(),
    "100,000 mails": json.dumps({"text": "a@b.co " * 100_000}).encode(),
    "100,000 placeholders": json.dumps({"text": "[EMAIL]" * 100_000}).encode(),
    "100,000 attributes": json.dumps({"text": "a", **{f"k{n}": n for n in range(100_000)}}).encode(),
    "long keys": json.dumps({"text": "a", "k" * 1_000_000: "v"}).encode(),
    "dots in keys": json.dumps({"text": "a", "." * 10_000: 1, "": 2, "a..b": 3}).encode(),
    "same keys": b'{"text": "a", "text": "b", "id": "1", "id": "2"}',
    "attributes that collide": b'{"text": "a", "attributes": {"a": {"b": 1}, "a.b": 2}, "a.b": 3}',
    "broken with fields": b'{"email": ' + b'"a' * 200_000,
    "broken with escapes": b'{"text": "' + b"\\u00" * 100_000,
    "broken with assignments": b"password=" * 100_000,
    "scalars": b'"text"',
    "nothing": b"",
    "white space": b" \t\n" * 100_000,
    "html": json.dumps({"text": "<script>alert(1)</script>" * 1_000, "brand": "<img src=x onerror=1>"}).encode(),
    "templates": json.dumps({"text": "${jndi:ldap://x} {{7*7}} %s %(x)s {0.__class__}"}).encode(),
    "year 0": b'{"text": "a", "created_at": "0000-01-01"}',
    "far year": b'{"text": "a", "created_at": 253402300799999}',
    "offset beyond the last year": b'{"text": "a", "created_at": "9999-12-31T23:59:59-12:00"}',
    "integers that no float holds": b'{"text": "a", "created_at": ' + b"9" * 4_300 + b', "n": ' + b"9" * 400 + b"}",
    "attribute that no float holds": b'{"text": "a", "n": ' + b"9" * 400 + b"}",
    "offset without end": b'{"text": "a", "created_at": "2026-01-01T00:00:00+99:99"}',
}  # fmt: skip


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


@pytest.mark.parametrize("name", CORPUS)
def test_each_is_answered_in_time(name):
    rig, seconds = _run(CORPUS[name])
    _assert_answered(rig, 1)
    assert seconds < MOST_S


def test_between_good_records_they_hurt_nobody():
    good = json.dumps({"text": "My parcel never arrived"}).encode()
    small = [payload for payload in CORPUS.values() if len(payload) < 20_000]
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
