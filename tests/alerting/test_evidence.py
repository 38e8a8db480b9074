"""Evidence: what the index says about a spike, or nothing when it is away."""

import json

import pytest
from scripted_http import ScriptedServer

from triage.alerting.evidence import IndexEvidence
from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.schemas.alert import Alert, Share


def alert(**dimensions):
    return Alert(
        dedup_key="triage-1", rule="r", key="", dimensions=dimensions, status="firing", severity="critical", title="t",
        summary="s", started_at="", updated_at="", window_s=3600, negative=1, total=1, share=1.0, peak_negative=1,
    )  # fmt: skip


@pytest.fixture
def index():
    servers = []

    def make(answer):
        servers.append(ScriptedServer(answer))
        client = connect(ElasticsearchSettings(url=servers[-1].url))
        return servers[-1], IndexEvidence(client, ElasticsearchSettings(url=servers[-1].url))

    yield make
    for made in servers:
        made.close()


def buckets(*pairs):
    found = [{"key": key, "doc_count": count} for key, count in pairs]
    return 200, {"hits": {"hits": []}, "aggregations": {"top": {"buckets": found}}}


def test_it_looks_at_the_negative_records_of_the_window_and_leaves_placeholders_out(index):
    server, evidence = index(lambda sent: buckets(("[ORDER_ID]", 30), ("parcel", 12), ("[DATE]", 9), ("Acme", 3)))
    found = evidence(alert(brand="Acme"), 7_200_000)
    assert found.top_entities == [Share("parcel", 12), Share("Acme", 3)]
    assert len(found.top_intents) == 4
    assert server.sent[0].path.startswith("/feedback/_refresh"), "what was just indexed is to be seen"
    for sent in server.sent[1:]:
        filters = json.loads(sent.body)["query"]["bool"]["filter"]
        assert {"term": {"brand": "Acme"}} in filters
        assert {"term": {"sentiment.label": "negative"}} in filters
        window = {"gte": "1970-01-01T01:00:00.000Z", "lt": "1970-01-01T02:00:00.000Z"}
        assert {"range": {"@timestamp": window}} in filters


def test_a_page_about_one_intent_does_not_list_intents(index):
    _, evidence = index(lambda sent: buckets(("parcel", 12)))
    assert evidence(alert(intent="delivery"), 7_200_000).top_intents == []


def test_without_elasticsearch_there_is_none(index):
    _, evidence = index(lambda sent: (503, {}))
    assert evidence(alert(), 7_200_000) is None


def test_without_the_right_to_refresh_it_shows_what_is_visible(index):
    _, evidence = index(lambda sent: (403, {}) if "_refresh" in sent.path else buckets(("parcel", 12)))
    assert evidence(alert(intent="delivery"), 7_200_000).top_entities == [Share("parcel", 12)]
