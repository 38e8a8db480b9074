"""Conversations over a store of the test's choice, with facts made by hand instead of a model."""

from collections.abc import Mapping
from typing import Any

from triage.assist.conversations.answers import Answerer
from triage.assist.conversations.bot import Bot
from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.guard import Guard
from triage.assist.conversations.service import Conversations
from triage.assist.conversations.store import ConversationStore, MemoryStore
from triage.assist.conversations.suggestions import NextSteps
from triage.assist.conversations.turns import TurnRequest, TurnTaker
from triage.assist.playbooks.loader import Playbooks, load_playbooks
from triage.clock import Clock, ManualClock
from triage.config import ConversationSettings
from triage.metrics import Metrics
from triage.schemas.conversation import Answer

GUARD = Guard()
PLAYBOOKS = load_playbooks()


class FixedWebhooks:
    """Webhooks that answer what the test says; None: they fail."""

    def __init__(self, answers: Mapping[str, dict[str, str] | None] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[tuple[str, dict[str, str]]] = []

    def ask(self, name: str, conversation: str, slots: Mapping[str, str]) -> dict[str, str] | None:
        del conversation
        self.asked.append((name, dict(slots)))
        return self.answers.get(name)


def make_taker(
    playbooks: Playbooks = PLAYBOOKS,
    webhooks: FixedWebhooks | None = None,
    answerer: Answerer | None = None,
    **settings: Any,
) -> TurnTaker:
    bot = Bot(playbooks, GUARD, webhooks or FixedWebhooks(), answerer)
    return TurnTaker(bot, NextSteps(playbooks, bot.matcher), ConversationSettings(**settings))


def make_conversations(
    store: ConversationStore | None = None,
    taker: TurnTaker | None = None,
    clock: Clock | None = None,
    metrics: Metrics | None = None,
    **settings: Any,
) -> Conversations:
    return Conversations(
        store or MemoryStore(),
        taker or make_taker(**settings),
        ConversationSettings(**settings),
        clock or ManualClock(1_795_339_800_000),
        metrics or Metrics(),
        lambda source, author: f"v1:{source}{author}",
        b"a key of tests",
    )


class Customer:
    """Talks in one conversation, turn after turn."""

    def __init__(self, conversations: Conversations, identity: str = "c-1") -> None:
        self.conversations, self.identity, self.turn = conversations, identity, 0

    def says(self, text: str, **facts: Any) -> Answer:
        self.turn += 1
        request = TurnRequest(turn=self.turn, speaker="customer", text=text)
        return self.conversations.take(self.identity, request, TurnFacts(text=text, **facts)).answer

    def agent(self, text: str, actor: str = "ann", step: str | None = None) -> Answer:
        self.turn += 1
        request = TurnRequest(turn=self.turn, speaker="agent", text=text, step=step)
        return self.conversations.take(self.identity, request, TurnFacts(text=text), actor).answer
