"""Evidence on documents that are really indexed: what stands out against the days before, not what is frequent."""

import msgspec
import pytest
from elastic_fixtures import client, settings

from triage.alerting.evidence.queries import IndexEvidence
from triage.clock import ManualClock, parse_rfc3339, rfc3339
from triage.elastic.naming import IndexNaming, read_daily_from
from triage.elastic.plan import apply, plan_index
from triage.schemas.alert import Alert
from triage.schemas.enriched import EnrichedRecord, Entity, Event, Intent, Route, Sentiment, Severity, Versions
from triage.sinks.base import Document
from triage.sinks.elasticsearch import IndexSink
from triage.types import Channel

pytestmark = pytest.mark.stack

__all__ = ["client", "settings"]

END = 1_795_339_800_000
HOUR = 3_600_000


def record(number, at_ms, text, entities, intent="delivery", score=-0.9):
    return EnrichedRecord(
        timestamp=rfc3339(at_ms),
        event=Event(str(number), rfc3339(at_ms)),
        channel=Channel.COMPLAINT,
        text=text,
        language="en",
        sentiment=Sentiment("negative" if score < 0 else "positive", score, 0.9),
        intent=Intent(intent, 0.8, []),
        entities=[Entity(name, "organization", 0, len(name), 0.9, "model") for name in entities],
        severity=Severity("high", []),
        route=Route("logistics", []),
        flags=[],
        versions=Versions("0.1.0", "m@1", "r1", "1"),
        brand="acme",
    )


def documents():
    """A week in which parcels are late, by two carriers; then an hour of floods at one of them."""
    for number in range(240):
        carrier = ["FastShip", "Postal"][number % 2]
        at_ms = END - 3 * HOUR - number * HOUR // 2
        yield record(number, at_ms, f"The parcel with {carrier} is late again, order [ORDER_ID]", [carrier])
    for number in range(240, 270):
        at_ms = END - (number - 239) * 60_000
        text = "My parcel is stuck at FastShip because of the flooding" if number % 3 else "包裹因为洪水停在仓库"
        yield record(number, at_ms, text, ["FastShip", "[ORDER_ID]"], intent="delivery" if number % 5 else "billing")
    yield record(999, END - 60_000, "Flooding handled well, thank you", ["Postal"], score=0.9)


def alert(**dimensions):
    return Alert(
        dedup_key="triage-1", rule="r", key="", dimensions=dimensions, status="firing", severity="critical", title="t",
        summary="s", started_at=rfc3339(END - 300_000), updated_at="", window_s=3600, negative=30, total=31, share=1.0,
        peak_negative=30,
    )  # fmt: skip


@pytest.fixture
def found(client, settings):
    apply(client, plan_index(client, settings, ManualClock(END)))
    naming = IndexNaming(settings.index_prefix, read_daily_from(client, settings))

    indexed = [
        Document(one.event.id, naming.index_for(parse_rfc3339(one.timestamp)), END, msgspec.json.encode(one))
        for one in documents()
    ]
    assert IndexSink(client, settings).write(indexed).indexed == 271
    evidence = IndexEvidence(client, settings, timeout_s=20)
    return lambda **dimensions: evidence(alert(**dimensions), END)


def test_a_page_names_what_is_more_frequent_than_in_the_days_before(found):
    page = found(brand="acme")
    assert [(share.value, share.count) for share in page.top_words if share.value.isascii()] == [
        ("flooding", 20), ("stuck", 20)
    ]  # fmt: skip
    assert any("洪水" in share.value and share.count == 10 for share in page.top_words)
    assert "parcel" not in {share.value for share in page.top_words}, "frequent, but always so"
    assert [(share.value, share.count, share.expected) for share in page.top_entities] == [("FastShip", 30, 15.0)]
    assert [(share.value, share.count, share.expected) for share in page.top_intents] == [("billing", 6, 0.0)]
    assert len(page.examples) == 3


def test_a_key_without_a_past_gets_what_is_frequent(found):
    page = found(brand="acme", intent="billing")
    assert page.top_words == []
    assert [(share.value, share.count, share.expected) for share in page.top_entities] == [("FastShip", 6, None)]
