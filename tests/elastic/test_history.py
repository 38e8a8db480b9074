"""Window counts read back from records that are really indexed."""

import msgspec
import pytest
from indices import own_settings, remove
from records import enriched

from triage.alerting.rules.model import Values
from triage.clock import ManualClock
from triage.elastic import history
from triage.elastic.client import connect
from triage.elastic.naming import IndexNaming, read_daily_from
from triage.elastic.plan import apply, plan_index
from triage.sinks.base import Document
from triage.sinks.elasticsearch import IndexSink

pytestmark = pytest.mark.stack

START = 1_795_339_800_000  # 2026-11-22T09:30:00Z
MINUTE = 60_000
# Minute, negative or not, and the fields of each record.
RECORDS = [
    (0, True, {"intent": "delivery", "brand": "acme"}),
    (1, True, {"intent": "delivery", "brand": "acme"}),
    (1, False, {"intent": "praise", "brand": "acme"}),
    (2, True, {"intent": "billing", "brand": "bolt"}),
    (11, True, {"intent": "delivery", "brand": "acme"}),
    (11, True, {"intent": "delivery"}),
    (20, True, {"intent": "delivery", "brand": "acme"}),
]


@pytest.fixture(scope="module")
def settings(stack, request):
    settings = own_settings(stack.elasticsearch_url, f"h{id(request):x}")
    with connect(settings) as client:
        apply(client, plan_index(client, settings, ManualClock(START)))
        naming = IndexNaming(settings.index_prefix, read_daily_from(client, settings))
        documents = []
        for n, (minute, negative, fields) in enumerate(RECORDS):
            at_ms = START + minute * MINUTE
            record = enriched("text", at_ms, score=-0.9 if negative else 0.9, **fields)
            documents.append(Document(f"id{n}", naming.index_for(at_ms), START, msgspec.json.encode(record)))
        assert IndexSink(client, settings).write(documents).indexed == len(RECORDS)
        client.indices.refresh(index=settings.index_prefix)
    yield settings
    remove(settings)


def read(settings, dimensions, where=None):
    with connect(settings) as client:
        steps = history.read_history(client, settings, dimensions, where or {}, START, START + 15 * MINUTE, 300)
        return {
            (step.start_ms - START) // MINUTE: {
                key: counts for key, *counts in zip(step.keys, step.negative, step.total, strict=True)
            }
            for step in steps
        }


def test_counts_by_step_and_key(settings):
    assert read(settings, ["brand"]) == {0: {"brand=acme": [2, 3], "brand=bolt": [1, 1]}, 10: {"brand=acme": [1, 1]}}


def test_everything_together_and_combinations(settings):
    assert read(settings, []) == {0: {"": [3, 4]}, 10: {"": [2, 2]}}
    assert read(settings, ["brand", "intent"])[10] == {"brand=acme|intent=delivery": [1, 1]}


def test_where_takes_and_leaves_values(settings):
    assert read(settings, ["brand"], {"intent": Values(not_in=["praise", "billing"])})[0] == {"brand=acme": [2, 2]}
    assert read(settings, [], {"intent": Values(**{"in": ["billing"]})}) == {0: {"": [1, 1]}}


def test_slices_join_without_loss(settings, monkeypatch):
    whole = read(settings, ["brand", "intent"])
    monkeypatch.setattr(history, "_MAX_STEPS", 1)
    assert read(settings, ["brand", "intent"]) == whole
