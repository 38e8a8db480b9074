"""Articles are compared token by token where their passages have tokens, within the scope only."""

import pytest
from knowledge_articles import articles, changed

from triage.assist.retrieval.parameters import load_parameters
from triage.assist.retrieval.retriever import Retriever
from triage.elastic import knowledge as store
from triage.elastic.passages import Scope

pytestmark = pytest.mark.stack
KNOWLEDGE = articles(
    toaster="# Toasters\n\nA used toaster can be sent back.\n\n# Crumbs\n\nEmpty the tray first.",
    kettle="Kettles are exchanged, not repaired.",
    limits="Refunds above 500 need an approval.",
)
KNOWLEDGE["limits"] = changed(KNOWLEDGE["limits"], audience="internal")
QUESTION = "Is the tray of a toaster sent back?"


@pytest.fixture
def find(client, settings, encoder):
    retriever = Retriever(client, settings.knowledge(), encoder, load_parameters())
    return lambda public=True: retriever.find(QUESTION, "en", Scope("2026-11-30", public_only=public))


def test_each_token_takes_the_best_passage_of_an_article(apply, encoder, find):
    apply(KNOWLEDGE, encoder)
    found = find().found.by_tokens
    assert sorted(found) == ["kettle", "toaster"]
    assert found["toaster"] > 0.6 > found["kettle"]
    assert "limits" in find(public=False).found.by_tokens


@pytest.fixture
def rewrite(client, settings, encoder):
    """`rewrite(article, number, **fields)` changes fields of an indexed passage; None removes one."""

    def rewrite(article, number=1, **fields):
        index = settings.knowledge()
        identity = store.passage_ids(store.read_article(client, index, article).state)[number - 1]
        source = dict(client.get(index=index, id=identity)["_source"])
        source.setdefault("vector", encoder.encode_passages([article])[0].tolist())
        document = {name: value for name, value in {**source, **fields}.items() if value is not None}
        client.index(index=index, id=identity, document=document, refresh=True)

    return rewrite


def test_an_article_without_tokens_gets_the_median_of_the_others(apply, encoder, find, rewrite):
    apply(KNOWLEDGE, encoder)
    before = find().found.by_tokens
    rewrite("kettle", tokens=None)
    search = find()
    assert (len(search.found.by_vector), search.found.by_tokens["toaster"]) == (3, before["toaster"])
    assert search.found.by_tokens["kettle"] == before["toaster"]


def test_tokens_of_another_encoder_are_not_compared(apply, encoder, find, rewrite):
    apply(KNOWLEDGE, encoder)
    before = find().found.by_tokens
    # A refused article keeps such a passage: tokens of a size that this encoder's cannot be compared with.
    rewrite("toaster", 2, encoder="earlier", tokens="AAAA")
    found = find().found.by_tokens
    assert sorted(found) == ["kettle", "toaster"]
    assert found["kettle"] == before["kettle"]
    assert found["toaster"] < before["toaster"]


def test_nothing_is_compared_token_by_token_where_half_of_the_passages_have_no_tokens(apply, encoder, find, rewrite):
    apply(KNOWLEDGE, encoder)
    rewrite("toaster", 2, tokens=None)
    rewrite("kettle", tokens=None)
    search = find()
    assert (search.found.by_tokens, len(search.found.by_vector)) == ({}, 3)


def test_an_index_of_an_earlier_version_gets_the_new_fields(client, settings):
    index = settings.knowledge()
    client.indices.create(index=index, mappings={"dynamic": "strict", "properties": {"doc": {"type": "keyword"}}})
    assert not store.ensure_index(client, index)
    known = client.indices.get_mapping(index=index)[index]["mappings"]["properties"]
    assert known["tokens"]["index"] is False
    assert known["vector"]["type"] == "dense_vector"
