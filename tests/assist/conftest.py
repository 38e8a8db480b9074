"""An index of the test's own on the stack; knowledge applied with a small encoder."""

import pytest
from elastic_fixtures import client, settings
from small_encoder import SmallEncoder

from triage.assist.knowledge.apply import KnowledgeWriter
from triage.assist.knowledge.plan import plan_knowledge
from triage.assist.knowledge.problems import Collection
from triage.assist.knowledge.tokens import TokenCounter
from triage.elastic import knowledge as store

__all__ = ["client", "settings"]
TOKENS = 60


@pytest.fixture(scope="session")
def counter():
    return TokenCounter()


@pytest.fixture
def writer(client, settings, clock, counter):
    def writer(encoder=None):
        return KnowledgeWriter(client, settings.knowledge(), encoder, counter, TOKENS, clock)

    return writer


@pytest.fixture
def apply(client, settings, writer):
    """`apply(articles, encoder)` brings the index up to these articles, and returns the plan and what was done."""
    index = settings.knowledge()

    def apply(found, encoder=None, refused=()):
        store.ensure_index(client, index)
        indexed = store.read_articles(client, index)
        collection = Collection(articles=found, problems=list(refused))
        incomplete = store.find_leftovers(client, index, indexed).incomplete
        plan = plan_knowledge(collection, indexed, TOKENS, encoder.version if encoder else None, incomplete)
        return plan, writer(encoder).apply(plan, found, indexed)

    return apply


@pytest.fixture
def encoder():
    return SmallEncoder()
