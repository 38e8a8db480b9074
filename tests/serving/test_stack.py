"""The API's ways to Kafka and Elasticsearch on a stack: records arrive, once, and corrections are stored."""

import asyncio
from datetime import date

import msgspec
import pytest
from elastic_fixtures import client, settings  # noqa: F401 - fixtures
from harness import Fleet
from records import AT_MS, enriched

from triage.config import KafkaSettings
from triage.elastic import corrections as store
from triage.elastic.naming import IndexNaming
from triage.elastic.plan import apply, plan_index
from triage.errors import Unavailable
from triage.local.stack import free_port
from triage.serving.problem import Problem
from triage.serving.sender import Outgoing, Sender
from triage.serving.service import Service
from triage.topics import apply_topics
from triage.types import Channel

pytestmark = pytest.mark.stack


def outgoing(identity, text="x", channel=Channel.REVIEW):
    return Outgoing(channel, identity, None, msgspec.json.encode({"text": text, "id": identity}))


def test_records_arrive_in_their_topics_and_what_is_sent_again_does_not(stack, prefix, tmp_path):
    fleet = Fleet(stack, prefix, tmp_path)
    apply_topics(fleet.settings.kafka)
    sender = Sender(fleet.settings.kafka, remember=100)
    try:
        records = [outgoing("a"), outgoing("b", channel=Channel.SOCIAL)]
        assert sender.send(records, [("traceparent", b"t")]) == [True, True]
        assert sender.send([*records, outgoing("a", "changed")]) == [False, False, True]
        (large,) = sender.send([outgoing("c", "x" * 6_000_000)])
        assert large.reason == "too_large"
    finally:
        sender.close()
    assert [value["id"] for _, value, _ in fleet.read("social")] == ["b"]
    assert sorted(value["text"] for _, value, _ in fleet.read("reviews")) == ["changed", "x"]


def test_without_a_broker_the_caller_hears_of_it():
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{free_port()}", start_timeout_s=0.3)
    sender = Sender(kafka, remember=100)
    with pytest.raises(Unavailable):
        sender.send([outgoing("a")])
    sender.close()


def test_a_correction_of_an_indexed_record(client, settings, clock, api):  # noqa: F811
    apply(client, plan_index(client, settings, clock))
    record = enriched("Where is my parcel?")
    index = IndexNaming(settings.index_prefix, date(2026, 1, 1)).index_for(AT_MS)
    client.index(index=index, id="r1", document=msgspec.to_builtins(record), refresh=True)
    made = api(**{f"elasticsearch.{name}": getattr(settings, name) for name in ("url", "index_prefix", "alerts_index")})
    service = Service(made.settings, made.enricher, None, None, client, clock)
    body = {"record": "r1", "intent": "billing", "comment": "the fee"}
    assert asyncio.run(service.correct(body, "olga")) == {"record": "r1", "changed": True}
    stored = store.corrections_of(client, settings, ["r1"])["r1"]
    assert (stored.actor, stored.intent, stored.sentiment, stored.judged.intent) == (
        "olga",
        "billing",
        None,
        "delivery",
    )
    with pytest.raises(Problem, match="no record"):
        asyncio.run(service.correct({**body, "record": "r2"}, "olga"))
