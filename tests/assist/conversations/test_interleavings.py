"""Turns, repeats, acts of people, lost answers and restarts in any order: each turn is answered exactly once.

A seeded run plays several clients of one conversation against a store. Each client sends turns, sends them again after
an answer was lost, guesses numbers, or acts as a person; a client may stop between its read and its write, and go on
after others have written, as a process does that was frozen, or never, as one that was killed.
"""

import random
from collections.abc import Iterator

import pytest
from conversing import make_taker

from triage.assist.conversations.errors import TurnRefused
from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.service import ACTS, Conversations
from triage.assist.conversations.store import MemoryStore
from triage.assist.conversations.turns import TurnRequest
from triage.clock import ManualClock
from triage.config import ConversationSettings
from triage.metrics import Metrics
from triage.schemas.conversation import Answer, Conversation

TEXTS = (
    "I want a refund", "order 112-3456789-0123456", "it is broken", "yes", "no", "I want to talk to a human", "退款",
    "转人工", "hello", "what?", "someone hacked my account", "thanks", "没有",
)  # fmt: skip
TAKER = make_taker()
METRICS, SETTINGS = Metrics(), ConversationSettings()


class KilledError(Exception):
    """The process ended between its read and its write, or after its write and before its answer."""


class InterruptedStore(MemoryStore):
    """At a write, other clients may come first, or the process may end before or after it."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice, self.others, self.depth = dice, None, 0
        self.history: list[Conversation] = []

    def write(self, conversation: Conversation) -> None:
        if self.others is not None and self.depth < 2 and self.dice.random() < 0.3:
            self.depth += 1
            self.others()
            self.depth -= 1
        chance = self.dice.random()
        if chance < 0.1:
            raise KilledError
        super().write(conversation)
        self.history.append(conversation)
        if chance > 0.9:
            raise KilledError


def play(seed: int, steps: int) -> tuple[InterruptedStore, dict[int, list[Answer]]]:
    """Play one conversation; returns its store and all answers that clients got, by turn."""
    dice = random.Random(seed)
    clock = ManualClock(1_795_339_800_000)
    store = InterruptedStore(dice)
    answers: dict[int, list[Answer]] = {}
    sent: dict[int, TurnRequest] = {}

    def client() -> Conversations:
        # Each is another process: nothing is shared but the store.
        return Conversations(
            store, TAKER, SETTINGS, clock, METRICS, lambda source, author: f"v1:{source}{author}", b"key"
        )

    def step() -> None:
        clock.advance(dice.random() * 5)
        stored = store.read("c")
        following = stored.last_turn + 1 if stored else 1
        try:
            if dice.random() < 0.15:
                client().act("c", dice.choice(ACTS[:2]), dice.choice(["ann", "bob"]))
                return
            number = following if dice.random() < 0.6 else dice.randint(1, following + 1)
            request = sent.get(number) if dice.random() < 0.8 else None
            if request is None:
                speaker = "agent" if dice.random() < 0.15 else "customer"
                request = TurnRequest(turn=number, speaker=speaker, text=dice.choice(TEXTS))
            taken = client().take("c", request, TurnFacts(text=request.text), "ann")
            answers.setdefault(number, []).append(taken.answer)
        except TurnRefused:
            return
        except KilledError:
            # Its client will send the same turn again, if it was a turn.
            if "request" in locals():
                sent.setdefault(request.turn, request)
            return
        sent[number] = request

    store.others = step
    for _ in range(steps):
        step()
    return store, answers


def violations(store: InterruptedStore, answers: dict[int, list[Answer]]) -> Iterator[str]:
    """Everything that a conversation must never do."""
    last = store.history[-1] if store.history else None
    for turn, given in answers.items():
        if any(answer != given[0] for answer in given):
            yield f"turn {turn} was answered in two ways"
        stored = next((each for each in last.turns if each.turn == turn), None) if last else None
        if stored is None or stored.answer != given[0]:
            yield f"turn {turn} was answered, but another answer is stored"
    if last is not None and [each.turn for each in last.turns] != list(range(1, len(last.turns) + 1)):
        yield "turns are missing or doubled"
    for before, after in zip(store.history, store.history[1:], strict=False):
        if after.revision != before.revision + 1:
            yield f"revision {after.revision} after {before.revision}"
        if after.turns[: len(before.turns)] != before.turns:
            yield f"revision {after.revision} changed an earlier turn"
        new = after.turns[len(before.turns) :]
        spoken = [said for turn in new for said in turn.answer.say if said.step != "waiting"]
        if before.state in {"waiting", "human"} and spoken:
            yield f"the bot spoke in state {before.state}: {spoken}"
        if before.state in {"waiting", "human"} and after.state == "bot" and new:
            yield "a turn made the bot speak again"


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_no_turn_is_answered_twice_or_never(start: int) -> None:
    handed_over = turns = 0
    for seed in range(start, start + 50):
        store, answers = play(seed, 25)
        assert list(violations(store, answers)) == [], f"seed {seed}"
        turns += len(answers)
        handed_over += any(each.state == "waiting" for each in store.history)
    # The runs are no empty ones.
    assert turns > 200
    assert handed_over > 20


@pytest.mark.slow
def test_a_thousand_interleavings() -> None:
    for seed in range(1_000, 2_000):
        store, answers = play(seed, 25)
        assert list(violations(store, answers)) == [], f"seed {seed}"


def test_a_run_is_the_same_for_the_same_seed() -> None:
    assert play(7, 25)[1] == play(7, 25)[1]
