"""A run over the index: the sample, the stored report, and the drafted rule."""

import msgspec
import pytest
import yaml
from elastic_fixtures import client, settings
from records import AT_MS, enriched
from small_encoder import SmallEncoder

from triage.alerting.rules.model import Rule
from triage.assist.topics.run import find_topics
from triage.assist.topics.sampling import sample
from triage.clock import ManualClock
from triage.config import AlertingSettings, MarketSettings
from triage.console.market.topic_rule import draft_rule
from triage.elastic.plan import apply, plan_index
from triage.elastic.topics import latest_topics, store_topics
from triage.schemas.enriched import Intent
from triage.schemas.topic import EmergingTopic

__all__ = ["client", "settings"]
DAY = 86_400_000
SURE = Intent("delivery", 0.9, [])


@pytest.fixture
def filled(client, settings):
    apply(client, plan_index(client, settings, ManualClock(AT_MS)))
    records = [
        enriched(f"the lamp number {n} of the shop is dim", AT_MS - n * DAY // 4 - 1, intent="other", product="lamp")
        for n in range(140)
    ]
    records += [
        enriched(f"pump {n} leaks oil", AT_MS - n * 1_000 - 1, intent="other", product="pump") for n in range(20)
    ]
    records += [enriched("clear", AT_MS - 5, score=0.9)]
    records += [msgspec.structs.replace(enriched("sure", AT_MS - 6), intent=SURE)]
    operations = []
    for number, record in enumerate(records):
        operations += [
            {"index": {"_index": f"{settings.index_prefix}-2026", "_id": f"t{number}"}}, msgspec.to_builtins(record),
        ]  # fmt: skip
    assert not client.bulk(operations=operations, refresh=True)["errors"]
    return records


@pytest.mark.stack
def test_a_run_reports_and_is_stored(filled, client, settings):
    assert latest_topics(client, settings) is None
    report = find_topics(client, settings, MarketSettings(), SmallEncoder(), AT_MS)
    assert (report.records, report.records_before) == (28 + 20, 112)
    (topic,) = report.topics
    assert (topic.records, topic.before, topic.fields["product"]) == (20, 0, "pump")
    store_topics(client, settings, report)
    assert latest_topics(client, settings) == report


@pytest.mark.stack
def test_a_sample_is_bounded_and_repeatable(filled, client, settings):
    arguments = (client, settings, AT_MS - 35 * DAY, AT_MS, AT_MS - 7 * DAY, 0.5)
    first, second = sample(*arguments, 30), sample(*arguments, 30)
    assert first == second
    assert (len(first.records), first.total) == (30, 160)
    assert {each.week for each in sample(*arguments, 500).records} == {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"product": "pump: big"}, ["product"]),
        ({"channel": "review"}, ["channel"]),
    ],
)
def test_a_drafted_rule_is_valid(fields, expected):
    topic = EmergingTopic(words=["a", "漏油"], records=9, before=0, lift=9.0, p=0.001, examples=[], fields=fields)
    drafted = draft_rule(topic, 2, AlertingSettings().dimensions)
    assert drafted is not None
    (rule,) = yaml.safe_load(drafted)
    found = Rule.model_validate(rule)
    assert (found.name, found.dimension) == ("topic-2", expected)
    assert {name: value.in_ for name, value in found.where.items()} == {name: [fields[name]] for name in expected}


def test_a_rule_watches_the_field_that_says_most_and_none_watches_all_records():
    fields = {"channel": "review", "brand": "Kestrel", "product": "kettle"}
    topic = EmergingTopic(words=[], records=9, before=0, lift=9.0, p=0.001, examples=[], fields=fields)
    drafted = draft_rule(topic, 3, [["channel"], ["brand"], ["product"], ["region", "product"]])
    assert drafted is not None
    assert drafted.startswith("# topic 3\n")
    assert yaml.safe_load(drafted)[0]["dimension"] == ["product"]
    topic.fields = {}
    assert draft_rule(topic, 3, [[], ["channel"]]) is None
