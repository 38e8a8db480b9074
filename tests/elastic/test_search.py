"""The queries of console and alerter, on documents that are really indexed."""

import msgspec
import pytest
from records import enriched

from triage.clock import rfc3339
from triage.config import ElasticsearchSettings
from triage.elastic import search
from triage.elastic.client import connect
from triage.elastic.naming import IndexNaming, read_daily_from
from triage.elastic.plan import apply, plan_index
from triage.errors import Unavailable
from triage.schemas.alert import Alert, Example, Share
from triage.schemas.enriched import Entity
from triage.sinks.base import Document
from triage.sinks.elasticsearch import IndexSink
from triage.types import Channel

pytestmark = pytest.mark.stack

START = 1_795_339_800_000  # 2026-11-22T09:30:00Z
MINUTE = 60_000


def record(at_ms, text, score, intent="delivery", **fields):
    return enriched(text, at_ms, score=score, intent=intent, flags=["redacted"], **fields)


def entity(text):
    return Entity(text, "product", 0, len(text), 0.9, "model")


RECORDS = [
    record(START, "my parcel was never delivered", -0.9, brand="acme", region="EU", entities=[entity("kettle")]),
    record(START + MINUTE, "two refunds are missing", -0.5, "billing", brand="acme", rating=1e300),
    record(
        START + 5 * MINUTE,
        "快递太慢了",
        -0.99,
        brand="bolt",
        channel=Channel.SOCIAL,
        entities=[entity("kettle"), entity("lamp")],
    ),
    record(START + 6 * MINUTE, "where is it", 0.0, brand="acme", attributes={"order.total": 12.5, "gift": True}),
    record(START + 14 * MINUTE, "love it", 0.95, "praise", brand="acme", channel=Channel.REVIEW),
    record(START - 400 * 24 * 60 * MINUTE, "long ago", -0.7, brand="acme"),
]


@pytest.fixture(scope="module")
def module_settings(stack, request):
    from indices import own_settings, remove

    settings = own_settings(stack.elasticsearch_url, f"s{id(request):x}")
    yield settings
    remove(settings)


@pytest.fixture(scope="module")
def at(module_settings):
    """(client, settings) of an index that holds RECORDS and two alerts, one firing."""
    from triage.clock import ManualClock

    settings = module_settings
    with connect(settings) as client:
        apply(client, plan_index(client, settings, ManualClock(START)))
        naming = IndexNaming(settings.index_prefix, read_daily_from(client, settings))
        times = [
            START,
            START + MINUTE,
            START + 5 * MINUTE,
            START + 6 * MINUTE,
            START + 14 * MINUTE,
            START - 400 * 24 * 60 * MINUTE,
        ]
        documents = [
            Document(f"id{n}", naming.index_for(ms), START, msgspec.json.encode(entry))
            for n, (ms, entry) in enumerate(zip(times, RECORDS, strict=True))
        ]
        assert IndexSink(client, settings).write(documents).indexed == len(RECORDS)
        for n, status in enumerate(["firing", "resolved"]):
            client.index(
                index=settings.alerts_index, id=f"a{n}", document=msgspec.to_builtins(alert(f"a{n}", status, n))
            )
        client.indices.refresh(index=f"{settings.index_prefix},{settings.alerts_index}")
        yield client, settings


def alert(key, status, age):
    return Alert(
        dedup_key=key,
        rule="spike",
        key="channel=complaint",
        dimensions={"channel": "complaint"},
        status=status,
        severity="high",
        title="Spike of complaints",
        summary="12 negative, 3 expected",
        started_at=rfc3339(START - age * MINUTE),
        updated_at=rfc3339(START),
        window_s=300,
        negative=12,
        total=20,
        share=0.6,
        peak_negative=12,
        top_intents=[Share("delivery", 9)],
        examples=[Example("id0", "late", "delivery", "complaint", rfc3339(START))],
    )


def test_latest_gives_back_the_records_newest_first(at):
    hits = search.latest(*at, 3)
    assert [hit.id for hit in hits] == ["id4", "id3", "id2"]
    assert [hit.record for hit in hits] == [RECORDS[4], RECORDS[3], RECORDS[2]]


def test_latest_narrowed_by_dimensions_and_words(at):
    assert [hit.id for hit in search.latest(*at, dimensions={"brand": "acme", "intent": "delivery"})] == [
        "id3",
        "id0",
        "id5",
    ]
    assert [hit.id for hit in search.latest(*at, text="delivered parcel")] == ["id0"]
    assert [hit.id for hit in search.latest(*at, text="快递")] == ["id2"]
    assert search.latest(*at, text="parcel refunds") == []


def test_totals(at):
    everything = search.totals(*at)
    assert (everything.negative, everything.neutral, everything.positive, everything.total) == (4, 1, 1, 6)
    window = search.totals(*at, START, START + 5 * MINUTE)
    assert (window.start_ms, window.negative, window.total) == (START, 2, 2)


def test_sentiment_over_time_has_no_gaps_and_excludes_the_end(at):
    slots = search.sentiment_over_time(*at, START, START + 20 * MINUTE, 300)
    assert [(slot.start_ms - START) // MINUTE for slot in slots] == [0, 5, 10, 15]
    assert [(slot.negative, slot.neutral, slot.positive) for slot in slots] == [
        (2, 0, 0),
        (1, 1, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]
    assert search.sentiment_over_time(*at, START, START + 14 * MINUTE, 300)[-1].total == 0
    only = search.sentiment_over_time(*at, START, START + 10 * MINUTE, 600, dimensions={"channel": "social"})
    assert [slot.total for slot in only] == [1]


def test_sentiment_over_time_refuses_more_intervals_than_anyone_can_see(at):
    with pytest.raises(ValueError, match="an interval longer than"):
        search.sentiment_over_time(*at, START, START + 10_001 * 1000, 1)


def test_top_intents_and_terms(at):
    assert search.top_intents(*at, START, START + 20 * MINUTE) == [Share("delivery", 2), Share("billing", 1)]
    assert search.top_terms(*at, "brand", None, START, START + 20 * MINUTE, size=1) == [Share("acme", 4)]
    assert search.top_terms(*at, "entities.text", {"sentiment": "negative"}, START, START + 20 * MINUTE) == [
        Share("kettle", 2),
        Share("lamp", 1),
    ]
    assert search.top_terms(*at, "attributes.order.total", None, START, START + 20 * MINUTE) == [Share("12.5", 1)]


def test_examples_are_the_most_negative_of_the_window(at):
    found = search.examples(*at, {"intent": "delivery"}, START, START + 20 * MINUTE, 2)
    assert [example.id for example in found] == ["id2", "id0"]
    assert found[1] == Example("id0", RECORDS[0].text, "delivery", "complaint", rfc3339(START))
    assert search.examples(*at, {"brand": "bolt"}, START, START + 5 * MINUTE) == []


def test_an_alert_is_found_by_its_key(at):
    assert search.find_alert(*at, "a1") == alert("a1", "resolved", 1)
    assert search.find_alert(*at, "nobody/knows it") is None
    assert [(found.dedup_key, version) for version, found in search.find_alerts(*at, ["a1", "nobody", "a0"])] == [
        ("a1", 1),
        ("a0", 1),
    ]


def test_open_alerts(at):
    assert search.open_alerts(*at) == [alert("a0", "firing", 0)]
    assert search.recent_alerts(*at) == [alert("a0", "firing", 0), alert("a1", "resolved", 1)]


def test_before_the_first_record_everything_is_empty(client, settings):
    at = client, settings
    assert search.latest(*at) == []
    assert search.totals(*at).total == 0
    assert search.top_intents(*at, START, START + MINUTE) == []
    assert search.examples(*at, {}, START, START + MINUTE) == []
    assert search.open_alerts(*at) == []
    assert [slot.total for slot in search.sentiment_over_time(*at, START, START + MINUTE, 30)] == [0, 0]


def test_a_document_of_another_version_does_not_hide_the_others(client, settings, clock):
    apply(client, plan_index(client, settings, clock))
    index = f"{settings.index_prefix}-2026.11.22"
    client.index(index=index, id="odd", document={"@timestamp": rfc3339(START + MINUTE)})
    client.index(index=index, id="good", document=msgspec.to_builtins(RECORDS[0]), refresh=True)
    assert [hit.id for hit in search.latest(client, settings)] == ["good"]


def test_a_cluster_that_is_gone_is_unavailable():
    settings = ElasticsearchSettings(url="http://127.0.0.1:9")
    with connect(settings) as client, pytest.raises(Unavailable):
        search.latest(client, settings)
