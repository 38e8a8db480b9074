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


def test_passages_without_tokens_are_compared_by_their_vectors_alone(apply, client, settings, encoder, find):
    apply(KNOWLEDGE, encoder)
    index = settings.knowledge()
    document = client.get(index=index, id=store.passage_ids(store.read_article(client, index, "kettle").state)[0])
    source = {name: value for name, value in document["_source"].items() if name != "tokens"}
    source.setdefault("vector", encoder.encode_passages(["kettle"])[0].tolist())
    client.index(index=index, id=document["_id"], document=source, refresh=True)
    search = find()
    assert (search.found.by_tokens, len(search.found.by_vector)) == ({}, 3)


def test_an_index_of_an_earlier_version_gets_the_new_fields(client, settings):
    index = settings.knowledge()
    client.indices.create(index=index, mappings={"dynamic": "strict", "properties": {"doc": {"type": "keyword"}}})
    assert not store.ensure_index(client, index)
    known = client.indices.get_mapping(index=index)[index]["mappings"]["properties"]
    assert known["tokens"]["index"] is False
    assert known["vector"]["type"] == "dense_vector"
