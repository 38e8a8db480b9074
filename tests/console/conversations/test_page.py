"""The page *Conversations*: who waits, keys that take suggestions, acts, and what is refused."""

import asyncio
from types import SimpleNamespace

import pytest
from conversing import Customer, make_conversations
from nicegui import ui
from nicegui.client import Client
from nicegui.page import page

from triage.config import RedactionSettings
from triage.console.conversations.page import _Conversations, read_overview
from triage.console.data.conversation_desk import ConversationDesk
from triage.console.web.layout import PageContext
from triage.redaction import Redactor
from triage.translations import Translations
from triage.web.identity import User

pytestmark = pytest.mark.asyncio
NOW = 1_795_339_800_000
REDACTOR = Redactor(RedactionSettings())


class Visit:
    """An open page of one conversation that waits for a person."""

    def __init__(self, monkeypatch, role="operator", identity="c-1"):
        self.notes = []
        monkeypatch.setattr(ui, "notify", lambda message, **_: self.notes.append(message))
        self.conversations = make_conversations()
        self.customer = Customer(self.conversations)
        self.customer.says("I want a refund")
        self.customer.says("a human please")
        self.desk = ConversationDesk(self.conversations, REDACTOR, 4_000)
        context = PageContext(Translations("en"), User("kim", role), "./", "conversations")
        with Client(page("/conversations"), request=None):
            overview = read_overview(self.desk, identity)
            self.page = _Conversations(self.desk, lambda: NOW, context, identity, overview)

    async def press(self, key):
        modifiers = SimpleNamespace(ctrl=False, alt=False, meta=False)
        event = SimpleNamespace(
            action=SimpleNamespace(keydown=True), modifiers=modifiers, key=SimpleNamespace(name=key)
        )
        await self.page._key(event)

    @property
    def stored(self):
        return self.conversations.store.read("c-1")


async def test_it_shows_who_waits_why_and_the_thread(monkeypatch):
    visit = Visit(monkeypatch)
    assert "c-1" in visit.page._waiting.content
    assert "asked for a person" in visit.page._waiting.content
    assert "a human please" in visit.page._thread.content
    assert "Reason: asked_for_person" in visit.page._thread.content
    assert "<kbd>2</kbd>" in visit.page._next.content


async def test_a_key_takes_a_suggestion_and_sending_stores_the_pick(monkeypatch):
    visit = Visit(monkeypatch)
    await visit.press("9")
    assert visit.page._reply.value in {None, ""}
    await visit.press("2")
    assert "order number" in visit.page._reply.value
    await visit.page.send()
    last = visit.stored.turns[-1]
    assert (last.speaker, last.step, last.actor, visit.stored.state) == ("agent", "ask_order", "kim", "human")
    assert visit.page._reply.value == ""


async def test_what_an_agent_writes_is_redacted(monkeypatch):
    visit = Visit(monkeypatch)
    visit.page._reply.value = "I will write to li@example.com"
    await visit.page.send()
    assert "li@example.com" not in visit.stored.turns[-1].text


async def test_the_customer_who_wrote_meanwhile_is_read_first(monkeypatch):
    visit = Visit(monkeypatch)
    visit.customer.says("hello?")
    visit.page._reply.value = "Which order is it?"
    await visit.page.send()
    assert "was sent with another text" in visit.notes[0]
    assert visit.page._reply.value == "Which order is it?"
    await visit.page._look()
    await visit.page.send()
    assert visit.stored.turns[-1].text == "Which order is it?"


async def test_acts_of_a_person(monkeypatch):
    visit = Visit(monkeypatch)
    for act, state in (("take_over", "human"), ("give_back", "bot"), ("close", "closed")):
        await visit.page._does(act)()
        assert visit.stored.state == state
    assert not visit.page._desk_parts.visible


async def test_viewers_only_look(monkeypatch):
    visit = Visit(monkeypatch, "viewer")
    assert not visit.page._desk_parts.visible
    await visit.page._does("close")()
    assert visit.stored.state == "waiting"


async def test_two_acts_at_once_are_one(monkeypatch):
    visit = Visit(monkeypatch)
    visit.page._reply.value = "Hello"
    await asyncio.gather(visit.page.send(), visit.page.send())
    assert [turn.speaker for turn in visit.stored.turns] == ["customer", "customer", "agent"]


async def test_an_unknown_conversation(monkeypatch):
    assert "no conversation with this id" in Visit(monkeypatch, identity="c-9").page._thread.content
