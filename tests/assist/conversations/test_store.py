"""The contract of a store of conversations: one writer of each revision wins, and every finished write is seen."""

import threading
from collections.abc import Callable

import msgspec
import pytest
from conversing import Customer, make_conversations
from elastic_fixtures import client, settings

from triage.assist.conversations.elastic_store import ElasticStore
from triage.assist.conversations.errors import RevisionConflict
from triage.assist.conversations.state import new_conversation
from triage.assist.conversations.store import ConversationStore, MemoryStore
from triage.elastic.conversations import erase_conversations, latest, pages
from triage.elastic.plan import apply, plan_index
from triage.elastic.reading import refresh
from triage.schemas.conversation import Conversation

__all__ = ["client", "settings"]
NOW = 1_795_339_800_000
MakeStore = Callable[[], tuple[ConversationStore, Callable[[], None]]]


@pytest.fixture(params=["memory", pytest.param("elasticsearch", marks=pytest.mark.stack)])
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    def make() -> tuple[ConversationStore, Callable[[], None]]:
        if request.param == "memory":
            return MemoryStore(), lambda: None
        elastic, names = request.getfixturevalue("client"), request.getfixturevalue("settings")
        clock = request.getfixturevalue("clock")
        apply(elastic, plan_index(elastic, names, clock))
        return ElasticStore(elastic, names), lambda: refresh(elastic, names.conversations())

    return make


def made(identity: str, revision: int, at_ms: int = NOW, **fields: object) -> Conversation:
    return msgspec.structs.replace(new_conversation(identity, "en", at_ms), revision=revision, **fields)


def test_contract(make_store: MakeStore) -> None:
    """In one test, because each index costs a second."""
    store, see = make_store()
    assert store.read("a") is None
    store.write(made("a", 1))
    assert store.read("a") == made("a", 1)
    with pytest.raises(RevisionConflict):
        store.write(made("a", 1, state="human"))
    store.write(made("a", 2, state="waiting"))
    for stale in (1, 2):
        with pytest.raises(RevisionConflict):
            store.write(made("a", stale))
    assert store.read("a") == made("a", 2, state="waiting")
    store.write(made("b", 1, NOW + 5, state="waiting"))
    store.write(made("c", 1, NOW - 5, state="waiting"))
    store.write(made("d", 1))
    see()
    assert [each.id for each in store.in_state("waiting", 10)] == ["c", "a", "b"]
    assert [each.id for each in store.in_state("waiting", 1)] == ["c"]
    assert {state: number for state, number in store.counts().items() if number} == {"waiting": 3, "bot": 1}
    _one_of_many_writers_wins(store)
    _a_whole_conversation(store)


def _one_of_many_writers_wins(store: ConversationStore) -> None:
    won: list[int] = []
    ready = threading.Barrier(6)

    def write(number: int) -> None:
        ready.wait()
        try:
            store.write(made("raced", 1, outcome=str(number)))
            won.append(number)
        except RevisionConflict:
            pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    stored = store.read("raced")
    assert stored is not None
    assert won == [int(stored.outcome or -1)]


def _a_whole_conversation(store: ConversationStore) -> None:
    customer = Customer(make_conversations(store), "whole:1")
    assert customer.says("I want my money back").ask == "order_id"
    assert customer.says("112-3456789-0123456").ask == "reason"
    assert customer.says("I want to talk to a human").state == "waiting"
    stored = store.read("whole:1")
    assert stored is not None
    assert stored.slots == {"order_id": "112-3456789-0123456"}
    assert stored.revision == 3


@pytest.mark.stack
def test_erasing_an_author_leaves_nothing_of_theirs(client, settings, clock) -> None:
    apply(client, plan_index(client, settings, clock))
    store = ElasticStore(client, settings)
    for identity, author in (("a", "v1:x"), ("b", "v1:y"), ("c", "v1:x")):
        store.write(made(identity, 1, author_id=author))
    assert erase_conversations(client, settings, ["v1:x"], dry_run=True) == 2
    assert erase_conversations(client, settings, ["v1:x"]) == 2
    assert [store.read(each) is None for each in "abc"] == [True, False, True]
    assert [each.id for each in latest(client, settings, 9)] == ["b"]
    assert erase_conversations(client, settings, ["v1:x"]) == 0


@pytest.mark.stack
def test_all_conversations_are_read_page_by_page(client, settings, clock, monkeypatch) -> None:
    monkeypatch.setattr("triage.elastic.conversations._PAGE", 2)
    apply(client, plan_index(client, settings, clock))
    store = ElasticStore(client, settings)
    assert list(pages(client, settings)) == []
    for identity in "edcba":
        store.write(made(identity, 1))
    assert [each.id for each in pages(client, settings)] == list("abcde")
