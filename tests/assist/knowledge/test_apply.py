"""The index follows the folder: whole versions only, also after a kill and with two runs at once."""

from pathlib import Path

import pytest
from knowledge_articles import articles

from triage.assist.knowledge.plan import KnowledgePlan, plan_knowledge
from triage.assist.knowledge.problems import Collection, Problem
from triage.elastic import knowledge as store
from triage.elastic.bulk import send_bulk
from triage.errors import ConfigError, Unavailable

pytestmark = pytest.mark.stack
LONG = "\n\n".join(f"# Part {number}\n\nText of part {number}." for number in range(5))


def passages(client, settings):
    hits = client.search(
        index=settings.knowledge(), query={"term": {"doc": "passage"}}, size=100, source_excludes="vector"
    )
    return sorted((hit["_source"]["passage"], hit["_source"]["version"]) for hit in hits["hits"]["hits"])


def names(client, settings):
    return [name for name, _ in passages(client, settings)]


def test_what_is_new_changed_and_gone_follows(client, settings, apply):
    plan, done = apply(articles(a=LONG, b="Text."))
    assert (plan.create, done.written, done.passages) == (["a", "b"], 2, 6)
    assert not apply(articles(a=LONG, b="Text."))[0]
    plan, done = apply(articles(a="Short now.", c="New."))
    assert (plan.create, plan.update, plan.delete, done.deleted) == (["c"], ["a"], ["b"], 1)
    assert names(client, settings) == ["a#1", "c#1"]
    texts = [article.body for article, _, _ in store.read_versions(client, settings.knowledge(), "a")]
    assert sorted(texts) == sorted([LONG, "Short now."])
    assert len(store.read_versions(client, settings.knowledge(), "b")) == 1


def test_a_refused_article_keeps_its_indexed_version(client, settings, apply):
    apply(articles(a="Text.", b="Text."))
    plan, _ = apply(articles(a="Text."), refused=[Problem(Path("b.md"), 1, "no title", "b")])
    assert (plan.kept, plan.delete) == (["b"], [])
    assert names(client, settings) == ["a#1", "b#1"]


def test_another_encoder_encodes_again(client, settings, apply, encoder):
    apply(articles(a="Text."))
    plan, _ = apply(articles(a="Text."), encoder)
    assert plan.encode == ["a"]
    assert store.read_article(client, settings.knowledge(), "a").state.encoder == "small@1"
    assert not apply(articles(a="Text."))[0]  # without an encoder vectors stay


def test_a_run_that_was_killed_is_continued(client, settings, apply, writer, monkeypatch):
    apply(articles(a=LONG))
    monkeypatch.setattr(store, "switch_articles", lambda *_: (_ for _ in ()).throw(Unavailable("elasticsearch", "cut")))
    with pytest.raises(Unavailable):
        apply(articles(a="Second.", b="New."))
    monkeypatch.undo()
    client.indices.refresh(index=settings.knowledge())
    assert len(passages(client, settings)) == 7
    plan, done = apply(articles(a=LONG))
    assert (plan.unchanged, done.swept) == (1, 2)
    assert names(client, settings) == [f"a#{number}" for number in range(1, 6)]


def test_many_small_articles_cost_a_few_requests(client, settings, apply, monkeypatch):
    sent = []
    monkeypatch.setattr(store, "send_bulk", lambda client, lines: sent.append(len(lines)) or send_bulk(client, lines))
    many = articles(**{f"a{number}": f"Text {number}." for number in range(128)})
    assert apply(many)[1].written == 128
    # Two batches of passages, each with its versions and its articles.
    assert len(sent) == 6
    changes = {**many, **articles(a0="Changed.", a1="Changed.")}
    assert apply(changes)[1].written == 2
    assert len(sent) == 10
    assert len(passages(client, settings)) == 100  # the most that the search returns
    assert client.count(index=settings.knowledge(), query={"term": {"doc": "passage"}})["count"] == 128


def test_two_runs_at_once_end_with_one_whole_version(client, settings, apply, writer):
    apply(articles(a=LONG))
    index = settings.knowledge()
    indexed = store.read_articles(client, index)
    first, second = articles(a="# One\n\nFirst.\n\n# Two\n\nFirst."), articles(a="Second.")
    plans = [plan_knowledge(Collection(articles=each), indexed, 60, None) for each in (first, second)]
    writer().apply(plans[0], first, indexed)
    done = writer().apply(plans[1], second, indexed)
    assert done.contested == 1
    assert names(client, settings) == ["a#1"]
    # And back, with what the first run believed.
    done = writer().apply(plans[0], first, indexed)
    assert (done.contested, names(client, settings)) == (1, ["a#1", "a#2"])
    assert len({version for _, version in passages(client, settings)}) == 1


def test_a_folder_that_lacks_most_articles_is_refused():
    plan = KnowledgePlan(delete=[str(number) for number in range(11)])
    with pytest.raises(ConfigError, match="--delete-many"):
        plan.require_few_deletions(20)
    plan.require_few_deletions(30)
