"""What every sink promises: the newest version wins, order is kept, refusals are told apart, repeats change nothing."""

import itertools
import json
import uuid

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from triage.elastic.plan import apply, plan_index
from triage.schemas.version import timed_version
from triage.sinks.base import Document
from triage.sinks.checked import index_sink
from triage.sinks.elasticsearch import IndexSink
from triage.sinks.memory import MemorySink


class Memory:
    def __init__(self):
        self.sink = MemorySink()

    def get(self, index, document_id):
        return self.sink.get(index, document_id)


class Real:
    def __init__(self, client, settings):
        self.client = client
        self.sink = IndexSink(client, settings)

    def get(self, index, document_id):
        found = self.client.options(ignore_status=404).get(index=index, id=document_id)
        return found.body.get("_source") if found.meta.status == 200 else None


@pytest.fixture(params=["memory", pytest.param("elasticsearch", marks=pytest.mark.stack)])
def store(request):
    if request.param == "memory":
        return Memory()
    client, settings, clock = (request.getfixturevalue(name) for name in ("client", "settings", "clock"))
    apply(client, plan_index(client, settings, clock))
    return Real(client, settings)


@pytest.fixture
def index(prefix):
    return f"{prefix}-2026.11.22"


def document(index, name, version, text="late parcel"):
    return Document(name, index, version, json.dumps({"text": text}).encode())


def outcome(result):
    return result.indexed, result.conflicts, [position for position, _ in result.rejected]


def test_new_documents_are_indexed(store, index):
    assert outcome(store.sink.write([document(index, "a", 1), document(index, "b", 1_795_339_800_000)])) == (2, 0, [])
    assert store.get(index, "a") == {"text": "late parcel"}
    assert store.get(index, "c") is None


def test_nothing_to_write_is_fine(store):
    assert outcome(store.sink.write([])) == (0, 0, [])


def test_a_higher_or_equal_version_replaces_and_a_lower_one_is_a_conflict(store, index):
    store.sink.write([document(index, "a", 10, "first")])
    assert outcome(store.sink.write([document(index, "a", 10, "again")])) == (1, 0, [])
    assert outcome(store.sink.write([document(index, "a", 9, "stale")])) == (0, 1, [])
    assert store.get(index, "a") == {"text": "again"}
    assert outcome(store.sink.write([document(index, "a", 11, "newer")])) == (1, 0, [])
    assert store.get(index, "a") == {"text": "newer"}


def test_the_same_id_in_one_write_takes_effect_in_order(store, index):
    result = store.sink.write(
        [document(index, "a", 5, "one"), document(index, "a", 5, "two"), document(index, "a", 4, "old")]
    )
    assert outcome(result) == (2, 1, [])
    assert store.get(index, "a") == {"text": "two"}


def test_the_same_id_in_two_indices_is_two_documents(store, index, prefix):
    other = f"{prefix}-2026"
    store.sink.write([document(index, "a", 5, "one"), document(other, "a", 4, "two")])
    assert (store.get(index, "a"), store.get(other, "a")) == ({"text": "one"}, {"text": "two"})


def test_what_can_never_be_indexed_is_named_by_position_and_the_rest_is_indexed(store, index):
    broken = Document("broken", index, 1, b'{"text": "cut')
    result = store.sink.write([document(index, "a", 1), broken, document(index, "b", 1), broken])
    assert outcome(result) == (2, 0, [1, 3])
    assert all("exception" in reason and len(reason) < 600 for _, reason in result.rejected)
    assert store.get(index, "b") is not None
    assert store.get(index, "broken") is None


def test_a_body_over_several_lines_and_a_missing_timestamp_are_fine(store, index):
    assert outcome(store.sink.write([Document("a", index, -1, b'{\n  "text": "late\\nparcel"\n}')])) == (1, 0, [])
    assert store.get(index, "a") == {"text": "late\nparcel"}


@hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), max_size=8), min_size=1, max_size=3))
def test_any_history_ends_with_the_last_of_the_highest_version_and_a_repeat_changes_nothing(store, index, writes):
    run = uuid.uuid4().hex
    batches = [
        [document(index, f"{run}-{name}", version, uuid.uuid4().hex) for name, version in write] for write in writes
    ]
    expected = {}
    for entry in itertools.chain(*batches):
        if entry.id not in expected or entry.version >= expected[entry.id].version:
            expected[entry.id] = entry
    for _ in range(2):
        for batch in batches:
            result = store.sink.write(batch)
            assert result.indexed + result.conflicts == len(batch)
            assert not result.rejected
        assert {name: store.get(index, name) for name in expected} == {
            name: json.loads(entry.body) for name, entry in expected.items()
        }


AT_MS, WRAP = 1_795_339_800_000, 2**19


def write(store, index, offset, text):
    return outcome(store.sink.write([document(index, "a", timed_version(AT_MS, offset), text)]))


@pytest.mark.stack
def test_where_the_bits_of_the_offset_start_again_the_later_record_still_stays(client, settings, clock, index):
    apply(client, plan_index(client, settings, clock))
    store = Real(client, settings)
    for offset, text in ((WRAP - 2, "one"), (WRAP + 1, "two"), (WRAP + 2, "three")):
        assert write(store, index, offset, text) == (1, 0, [])
    # Written late, and again.
    for offset in (WRAP - 1, WRAP + 1, WRAP + 2):
        assert write(store, index, offset, "late") == (0, 1, [])
    assert store.get(index, "a") == {"text": "three"}
    assert outcome(store.sink.write([document(index, "a", timed_version(AT_MS + 1, WRAP + 3), "four")])) == (1, 0, [])


@pytest.mark.stack
def test_an_index_of_an_earlier_version_keeps_times_as_versions(client, settings, clock, index):
    client.indices.create(index=index)
    apply(client, plan_index(client, settings, clock))
    client.index(index=index, id="a", version=AT_MS, version_type="external_gte", document={"text": "before"})
    sink = index_sink(client, settings)
    older, same, newer = (document(index, "a", timed_version(ms, 5), str(ms)) for ms in (AT_MS - 1, AT_MS, AT_MS + 1))
    assert outcome(sink.write([older])) == (0, 1, [])
    assert outcome(sink.write([same])) == outcome(sink.write([newer])) == (1, 0, [])
    assert client.get(index=index, id="a").body["_version"] == AT_MS + 1
    # An earlier worker, after a rollback.
    client.index(index=index, id="a", version=AT_MS + 2, version_type="external_gte", document={"text": "rolled back"})
    assert outcome(sink.write([newer])) == (0, 1, [])
