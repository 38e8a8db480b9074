"""The index follows the folder: whole versions only, also after a kill and with two runs at once."""

from pathlib import Path

import msgspec
import pytest
from knowledge_articles import articles

from triage.assist.knowledge.plan import KnowledgePlan, plan_knowledge
from triage.assist.knowledge.problems import Collection, Problem
from triage.elastic import knowledge as store
from triage.elastic import passage_removal
from triage.elastic.bulk import send_bulk
from triage.errors import ConfigError, Unavailable
from triage.schemas.knowledge import unpack_vector

pytestmark = pytest.mark.stack
LONG = "\n\n".join(f"# Part {number}\n\nText of part {number}." for number in range(5))


def passages(client, settings):
    hits = client.search(
        index=settings.knowledge(), query={"term": {"doc": "passage"}}, size=100, source_excludes="vector"
    )
    return sorted((hit["_source"]["passage"], hit["_source"]["version"]) for hit in hits["hits"]["hits"])


def vector_of(client, index):
    (hit,) = client.search(index=index, query={"term": {"doc": "passage"}})["hits"]["hits"]
    return unpack_vector(hit["_source"]["exact"]).tolist()


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


def test_a_refused_translation_keeps_its_indexed_version(client, settings, apply):
    apply(articles(**{"7-en": "Text.", "7-zh": "Text."}))
    plan, _ = apply(articles(**{"7-en": "Text."}), refused=[Problem(Path("e.json"), 1, "no title", "7")])
    assert (plan.kept, plan.delete) == (["7-zh"], [])


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
    for module in (store, passage_removal):
        monkeypatch.setattr(
            module, "send_bulk", lambda client, lines: sent.append(len(lines)) or send_bulk(client, lines)
        )
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


def test_a_sweep_of_another_run_takes_no_passages_that_are_just_written(
    client, settings, apply, writer, encoder, monkeypatch
):
    apply(articles(a=LONG))
    indexed = store.read_articles(client, settings.knowledge())
    mine = articles(a="# One\n\nFirst.\n\n# Two\n\nSecond.")
    plan = plan_knowledge(Collection(articles=mine), indexed, 60, None)
    switch = store.switch_articles

    def meanwhile(*changes):
        monkeypatch.undo()
        # The passages that were written have no article yet.
        assert apply(articles(a=LONG, b="Other."), encoder)[1].swept == 2
        return switch(*changes)

    monkeypatch.setattr(store, "switch_articles", meanwhile)
    writer().apply(plan, mine, indexed)
    assert names(client, settings) == ["a#1", "a#2", "b#1"]
    assert not store.find_leftovers(
        client, settings.knowledge(), store.read_articles(client, settings.knowledge())
    ).incomplete


def test_passages_that_become_current_while_they_are_deleted_come_back(client, settings, apply, encoder, monkeypatch):
    apply(articles(a="First."), encoder)
    index = settings.knowledge()
    old, vectors = store.read_article(client, index, "a").state, vector_of(client, index)
    # Another run, in mid-way: its passages are there, the article names another version.
    other = msgspec.structs.replace(old, version="other", passages=0)
    assert store.switch_articles(client, index, [(other, store.read_article(client, index, "a"))]) == [True]

    def delete_then_switch(*sent):
        result = send_bulk(*sent)
        assert store.switch_articles(client, index, [(old, store.read_article(client, index, "a"))]) == [True]
        return result

    monkeypatch.setattr(passage_removal, "send_bulk", delete_then_switch)
    assert passage_removal.discard_passages(client, index, store.passage_ids(old)) == 0
    client.indices.refresh(index=index)
    assert passages(client, settings) == [("a#1", old.version)]
    assert vector_of(client, index) == pytest.approx(vectors, abs=1e-3)


def test_passages_that_are_written_again_meanwhile_are_left_alone(client, settings, apply, monkeypatch):
    apply(articles(a="First."))
    index = settings.knowledge()
    old = store.read_article(client, index, "a").state
    other = msgspec.structs.replace(old, version="other", passages=0)
    store.switch_articles(client, index, [(other, store.read_article(client, index, "a"))])
    document = client.get(index=index, id=store.passage_ids(old)[0])["_source"]

    def write_then_delete(*sent):
        client.index(index=index, id=store.passage_ids(old)[0], document=document)
        return send_bulk(*sent)

    monkeypatch.setattr(passage_removal, "send_bulk", write_then_delete)
    assert passage_removal.discard_passages(client, index, store.passage_ids(old)) == 0
    client.indices.refresh(index=index)
    assert names(client, settings) == ["a#1"]


def test_an_article_that_lacks_a_passage_is_written_again(client, settings, apply):
    apply(articles(a=LONG, b="Text."))
    index = settings.knowledge()
    lost = store.passage_ids(store.read_article(client, index, "a").state)[2]
    client.delete(index=index, id=lost, refresh=True)
    plan, _ = apply(articles(a=LONG, b="Text."))
    assert (plan.update, plan.unchanged) == (["a"], 1)
    assert len(names(client, settings)) == 6


def test_a_folder_that_lacks_most_articles_is_refused():
    plan = KnowledgePlan(delete=[str(number) for number in range(11)])
    with pytest.raises(ConfigError, match="--delete-many"):
        plan.require_few_deletions(20)
    plan.require_few_deletions(30)
