"""Evidence: what the index says about a spike, or nothing when it is away."""

import json

import pytest
from scripted_http import ScriptedServer

from triage.alerting.evidence.queries import IndexEvidence
from triage.alerting.rules.model import Values
from triage.clock import ManualClock
from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.schemas.alert import Alert, Share
from triage.translations import places_of


def alert(**dimensions):
    return Alert(
        dedup_key="triage-1", rule="r", key="", dimensions=dimensions, status="firing", severity="critical", title="t",
        summary="s", started_at="1970-01-01T01:55:00.000Z", updated_at="", window_s=3600, negative=1,
        total=1, share=1.0, peak_negative=1,
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


def filters_of(sent):
    return json.loads(sent.body)["query"]["bool"]["filter"]


def test_records_that_the_rule_leaves_out_are_no_evidence(index):
    server, evidence = index(lambda sent: buckets(("parcel", 12)))
    where = {"channel": Values(**{"in": ["complaint"]}), "intent": Values(not_in=["praise"])}
    narrowed = IndexEvidence(evidence._client, evidence._settings, where={"r": where}.get)
    narrowed(alert(brand="Acme"), 7_200_000)
    for sent in server.sent[1:]:
        query = json.loads(sent.body)["query"]["bool"]
        assert {"terms": {"channel": ["complaint"]}} in query["filter"]
        assert query["must_not"] == [{"terms": {"intent.label": ["praise"]}}]


WINDOW = {"range": {"@timestamp": {"gte": "1970-01-01T01:00:00.000Z", "lt": "1970-01-01T02:00:00.000Z"}}}
# Up to a window before the start: the spike may have begun in it.
BEFORE = {"range": {"@timestamp": {"gte": "1969-12-25T00:55:00.000Z", "lt": "1970-01-01T00:55:00.000Z"}}}


def test_it_looks_at_the_negative_records_of_the_window_and_leaves_placeholders_out(index):
    named = (("[ORDER_ID]", 30), ("parcel", 12), ("[DATE]", 9), ("Acme", 3), ("once", 1))
    server, evidence = index(lambda sent: buckets(*named))
    found = evidence(alert(brand="Acme"), 7_200_000)
    assert found.top_entities == [Share("parcel", 12), Share("Acme", 3)]
    assert len(found.top_intents) == 5
    assert server.sent[0].path.startswith("/feedback/_refresh"), "what was just indexed is to be seen"
    for sent in server.sent[1:]:
        filters = filters_of(sent)
        assert {"term": {"brand": "Acme"}} in filters
        assert {"term": {"sentiment.label": "negative"}} in filters
        assert WINDOW in filters or BEFORE in filters


def test_without_an_answer_on_the_days_before_the_page_has_what_is_frequent(index):
    def answer(sent):
        if "_search" in sent.path and BEFORE in filters_of(sent):
            return 503, {}
        return buckets(("parcel", 12))

    _, evidence = index(answer)
    assert evidence(alert(intent="delivery"), 7_200_000).top_entities == [Share("parcel", 12)]


def test_a_page_about_one_intent_does_not_list_intents(index):
    _, evidence = index(lambda sent: buckets(("parcel", 12)))
    assert evidence(alert(intent="delivery"), 7_200_000).top_intents == []


def test_without_elasticsearch_there_is_no_evidence(index):
    _, evidence = index(lambda sent: (503, {}))
    assert evidence(alert(), 7_200_000) is None


def test_without_the_right_to_refresh_it_shows_what_is_visible(index):
    _, evidence = index(lambda sent: (403, {}) if "_refresh" in sent.path else buckets(("parcel", 12)))
    assert evidence(alert(intent="delivery"), 7_200_000).top_entities == [Share("parcel", 12)]


def test_what_takes_too_long_to_compare_is_left_out(index):
    clock = ManualClock()

    def answer(sent):
        clock.advance(1.2)
        return buckets(("parcel", 12))

    _, evidence = index(answer)
    slow = IndexEvidence(evidence._client, evidence._settings, timeout_s=7, clock=clock)
    assert slow(alert(intent="delivery"), 7_200_000).top_entities == [Share("parcel", 12)]
    assert clock.monotonic() < 8, "the page does not wait for more"


def test_without_an_answer_in_time_there_is_no_evidence(index):
    clock = ManualClock()

    def answer(sent):
        clock.advance(5)
        return buckets(("parcel", 12))

    server, evidence = index(answer)
    assert IndexEvidence(evidence._client, evidence._settings, timeout_s=7, clock=clock)(alert(), 7_200_000) is None
    assert len(server.sent) == 1


def test_spellings_of_one_place_count_together_in_the_window_and_before(index):
    def answer(sent):
        sought = json.loads(sent.body) if sent.body else {}
        probes = sought.get("aggregations", {})
        if "all" not in probes:
            return buckets(("武汉", 12), ("Wuhan", 9), ("parcel", 6))
        window = WINDOW in filters_of(sent)
        counts = {"武汉": 12, "Wuhan": 9, "parcel": 6} if window else {"武汉市": 30}
        found = {
            name: {"doc_count": counts.get(probe["filter"].get("term", {}).get("entities.text", ""), 0)}
            for name, probe in probes.items()
            if name != "all"
        }
        return 200, {"hits": {"hits": []}, "aggregations": {"all": {"doc_count": 40 if window else 400}, **found}}

    _, evidence = index(answer)
    merging = IndexEvidence(evidence._client, evidence._settings, places=places_of())
    found = merging(alert(intent="delivery"), 7_200_000).top_entities
    assert Share("Wuhan", 21, 3.0) in found
    assert "武汉" not in {share.value for share in found}
