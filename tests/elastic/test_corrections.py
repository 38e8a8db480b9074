"""Corrections by people: one a record, in order, and gone with their author."""

import pytest
from records import AT_MS, enriched

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic import corrections as store
from triage.elastic.client import connect
from triage.elastic.plan import apply, plan_index
from triage.errors import DependencyError, Unavailable
from triage.schemas.correction import correction_of

pytestmark = pytest.mark.stack


@pytest.fixture
def index(client, settings, clock):
    apply(client, plan_index(client, settings, clock))
    return client, settings


def made(number, *, intent="billing", author=None, at_ms=None):
    record = enriched(f"text {number}", AT_MS - number * 1000, author_id=author)
    at = rfc3339(AT_MS + number * 1000 if at_ms is None else at_ms)
    return correction_of(f"r{number}", record, actor="ann", corrected_at=at, intent=intent, sentiment="negative")


def test_the_last_correction_of_a_record_stands(index):
    store.correct(*index, made(1, intent="billing"))
    store.correct(*index, made(1, intent="payment", at_ms=AT_MS + 60_000))
    found = store.corrections_of(*index, ["r1", "r2"])
    assert {record: correction.intent for record, correction in found.items()} == {"r1": "payment"}
    assert found["r1"].judged.intent == "delivery"
    assert store.corrections_of(*index, []) == {}


def test_confirmations_and_changes_are_counted_and_can_be_withdrawn(index):
    store.correct(*index, made(1, intent="delivery"))
    store.correct(*index, made(2, intent="billing"))
    assert store.count_corrections(*index) == (2, 1)
    assert store.withdraw(*index, "r2")
    assert not store.withdraw(*index, "r2")
    assert store.count_corrections(*index) == (1, 0)


def test_they_are_read_in_the_order_in_which_they_were_made(index, monkeypatch):
    monkeypatch.setattr(store, "_PAGE", 2)
    for number in (3, 1, 4, 2, 5):
        store.correct(*index, made(number))
    assert [one.record for one in store.corrections(*index)] == ["r1", "r2", "r3", "r4", "r5"]
    later = store.corrections(*index, since_ms=AT_MS + 2000, until_ms=AT_MS + 4000)
    assert [one.record for one in later] == ["r2", "r3"]
    assert [one.record for one in store.latest_corrections(*index, 2)] == ["r5", "r4"]


def test_the_reviewed_records_of_a_time_range(index):
    for number in (1, 2, 3):
        store.correct(*index, made(number))
    day_ms = AT_MS - AT_MS % 86_400_000
    assert store.corrected_records(*index, AT_MS - 2000, AT_MS, 10) == {day_ms: ["r2", "r1"]}


def test_an_author_is_erased_with_all_corrections(index, monkeypatch):
    monkeypatch.setattr(store, "_PAGE", 1)
    for number in range(1, 5):
        store.correct(*index, made(number, author="a" if number % 2 else "b"))
    assert store.erase_corrections(*index, ["a"], dry_run=True) == 2
    assert store.erase_corrections(*index, ["a"]) == 2
    assert [one.record for one in store.corrections(*index)] == ["r2", "r4"]


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [(403, "cluster_block_exception", Unavailable), (400, "illegal_argument_exception", DependencyError)],
)
def test_deletions_that_are_refused_end_the_erasure(serve, status, kind, error):
    refused = {"delete": {"_id": "r1", "status": status, "error": {"type": kind, "reason": "read-only"}}}

    def answer(sent):
        if "_bulk" in sent.path:
            # It was for ever; the test ends.
            return (200, {"errors": True, "items": [refused]}) if len(server.sent) < 9 else (410, {})
        return 200, {"hits": {"hits": [{"_id": "r1"}]}}

    server = serve(answer)
    settings = ElasticsearchSettings(url=server.url)
    with connect(settings) as client, pytest.raises(error, match=f"{status} {kind}: read-only while deleting r1"):
        store.erase_corrections(client, settings, ["a"])


def test_without_the_index_there_are_none(client, settings):
    assert store.corrections_of(client, settings, ["r1"]) == {}
    assert list(store.corrections(client, settings)) == []
    assert store.count_corrections(client, settings) == (0, 0)
