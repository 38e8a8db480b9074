"""Answers about a part of the data are refused by what must see everything."""

import json

import pytest
from indices import own_settings

from triage.elastic import documents
from triage.elastic.alert_examples import alerts_with_examples
from triage.elastic.author_keys import count_hashes, unknown_versions
from triage.elastic.client import connect
from triage.elastic.completeness import require_complete, visible_indices
from triage.elastic.corrections import erase_corrections
from triage.errors import Unavailable

WHOLE = {"total": 2, "successful": 2, "failed": 0}
FAILED = {
    "total": 2,
    "successful": 1,
    "failed": 1,
    "failures": [{"index": "feedback-2026", "reason": {"type": "no_shard_available_action_exception", "reason": "x"}}],
}
EMPTY = {"hits": {"hits": [], "total": {"value": 0, "relation": "eq"}}, "count": 0, "timed_out": False, "took": 1}


def test_failed_shards_are_named_with_their_reason():
    with pytest.raises(
        Unavailable, match=r"searching: 1 of 2 shards failed \(no_shard_available.*: x\).*_cluster/health"
    ):
        require_complete({"_shards": FAILED}, "searching")


def test_a_search_that_ended_early_is_refused():
    with pytest.raises(Unavailable, match="searching: the time was up before all shards had answered"):
        require_complete({"_shards": WHOLE, "timed_out": True}, "searching")


def test_a_whole_answer_passes_and_replicas_that_are_missing_are_no_gap():
    require_complete({"_shards": WHOLE, "timed_out": False}, "searching")
    require_complete({"_shards": {"total": 2, "successful": 1, "failed": 0}}, "refreshing")
    require_complete({"_shards": {"total": 2, "successful": 1, "skipped": 1, "failed": 0}}, "searching")


@pytest.mark.parametrize("partial", [{"_shards": FAILED}, {"_shards": WHOLE, "timed_out": True}])
@pytest.mark.parametrize(
    "ask",
    [
        lambda client, settings: list(documents.pages(client, settings, documents.by_authors(["v1:a"]), 10)),
        documents.sources,
        lambda client, settings: documents.count_authors(client, settings, ["v1:a"]),
        lambda client, settings: list(alerts_with_examples(client, settings, ["doc-1"])),
        lambda client, settings: erase_corrections(client, settings, ["v1:a"], dry_run=True),
        lambda client, settings: erase_corrections(client, settings, ["v1:a"]),
        lambda client, settings: count_hashes(client, settings.index_prefix, "1"),
        lambda client, settings: unknown_versions(client, settings.index_prefix, ["1"]),
    ],
    ids=["documents", "sources", "authors", "alerts", "count", "corrections", "hashes", "versions"],
)
def test_every_question_of_an_erasure_refuses_a_partial_answer(ask, partial, serve):
    def answer(sent):
        return 200, EMPTY | ({"_shards": WHOLE} if "_refresh" in sent.path else partial)

    settings = own_settings(serve(answer).url, "feedback")
    with connect(settings) as client, pytest.raises(Unavailable, match=r"shards (failed|had answered)"):
        ask(client, settings)


def test_a_refresh_that_failed_is_refused(serve):
    settings = own_settings(serve(lambda sent: (200, {"_shards": FAILED})).url, "feedback")
    with connect(settings) as client, pytest.raises(Unavailable, match="refreshing feedback: 1 of 2 shards failed"):
        documents.refresh(client, settings)


def test_indices_that_searches_pass_over_are_named(serve):
    asked = []

    def answer(sent):
        asked.append(sent.path)
        if "feedback%2A" in sent.path or "feedback*" in sent.path:
            return 200, {
                "aliases": [
                    {"name": "feedback", "indices": ["feedback-2026.11.22", "feedback-2026.11.23", "restored-1"]},
                    {"name": "feedback_alerts", "indices": "alerts-v2"},
                    {"name": "feedback-eu", "indices": ["feedback-eu-2026"]},
                ],
                "indices": [
                    {"name": "feedback-2026.11.22", "attributes": ["open"]},
                    {"name": "feedback-2026.11.23", "attributes": ["closed"]},
                    {"name": "feedback-2025", "attributes": ["open"]},
                    {"name": "feedback-eu-2026", "attributes": ["closed"]},
                    {"name": "feedback_corrections", "attributes": ["open"]},
                    {"name": "feedback_backup", "attributes": ["closed"]},
                ],
            }
        return 200, {
            "aliases": [],
            "indices": [
                {"name": "alerts-v2", "attributes": ["closed", "hidden"]},
                {"name": "restored-1", "attributes": ["open"]},
            ],
        }

    settings = own_settings(serve(answer).url, "feedback")
    with connect(settings) as client:
        found = visible_indices(client, settings)
    assert found.seen == ["feedback-2026.11.22", "feedback_corrections", "restored-1"]
    assert found.unseen == {
        "feedback-2025": "it is not behind the alias feedback; run `triage index apply`",
        "feedback-2026.11.23": "it is closed; open it: POST /feedback-2026.11.23/_open",
        "alerts-v2": "it is closed; open it: POST /alerts-v2/_open",
    }
    assert len(asked) == 2
    with pytest.raises(Unavailable) as caught:
        found.require_all("forget")
    assert "forget would pass over:\n  - alerts-v2: it is closed" in str(caught.value)


@pytest.mark.stack
def test_a_closed_index_of_the_stack_is_seen_as_closed(client, settings):
    name = f"{settings.index_prefix}-2026"
    assert visible_indices(client, settings).seen == []
    client.indices.create(index=name, aliases={settings.index_prefix: {}})
    assert visible_indices(client, settings).seen == [name]
    client.indices.close(index=name)
    assert visible_indices(client, settings).unseen.keys() == {name}
    client.indices.open(index=name)


def test_versions_are_told_apart_until_none_is_left(serve):
    authors = {"v1:a": 3, "v2:a": 2, "v9:a": 1, "strange": 1}

    def answer(sent):
        query = json.loads(sent.body)["query"]["bool"]
        excluded = [each["prefix"]["author_id"] for each in query.get("must_not", ())]
        required = [each["prefix"]["author_id"] for each in query["filter"] if "prefix" in each]
        kept = {
            name: number
            for name, number in authors.items()
            if not any(name.startswith(prefix) for prefix in excluded)
            and all(name.startswith(prefix) for prefix in required)
        }
        hits = [{"_id": "1", "_source": {"author_id": name}} for name in kept][:1]
        total = sum(kept.values())
        return 200, {"_shards": WHOLE, "count": total, "hits": {"hits": hits, "total": {"value": total}}}

    settings = own_settings(serve(answer).url, "feedback")
    with connect(settings) as client:
        assert unknown_versions(client, "feedback", ["1"]) == {"2": 2, "9": 1, "?": 1}
        authors.pop("strange")
        assert unknown_versions(client, "feedback", ["1", "2", "9"]) == {}
