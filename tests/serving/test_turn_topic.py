"""The topic of turns: each turn has one answer, whatever is repeated, refused, lost or read again."""

import asyncio
import json

import pytest

from triage.errors import Fenced, Unavailable
from triage.pipeline.memory_source import MemorySource
from triage.schemas.turn import AnsweredTurn
from triage.serving.turn_answers import TurnAnswers
from triage.serving.turn_topic import TurnFollower

IN, OUT = "feedback.turns", "feedback.answered-turns"
NOW_MS = 1_795_339_800_000


def turn(conversation, number, text, **fields):
    return {"conversation": conversation, "turn": number, "from": "customer", "text": text, **fields}


class Topic:
    """A source in memory that a follower of an API reads."""

    def __init__(self, erased=lambda source, author, written_ms: False):
        self.source, self.erased = MemorySource(), erased
        self.connected, self.end = 0, 0
        self.commit, self.source.commit = self.source.commit, self._commit

    def put(self, *turns, partition=0):
        for each in turns:
            value = each if isinstance(each, bytes) else json.dumps(each).encode()
            self.source.append(IN, value, timestamp_ms=NOW_MS, partition=partition)
        self.end = sum(map(len, self.source.logs.values()))

    def _commit(self, messages, offsets):
        self.commit(messages, offsets)
        if sum(self.source.committed.values()) >= self.end:
            self.loop.call_soon_threadsafe(self.done.set)

    def connect(self):
        self.connected += 1
        for key in self.source.logs:
            self.source.revoke(key)  # as a new member: from the committed offsets
        return self.source

    async def answered(self, one):
        answers = TurnAnswers(one.app.state.conversations, OUT, one.metrics, self.erased)
        follower = TurnFollower(self.connect, answers.answer)
        self.loop, self.done = asyncio.get_running_loop(), asyncio.Event()
        follower.start(self.loop)
        await asyncio.wait_for(self.done.wait(), 30)
        await asyncio.to_thread(follower.stop)
        assert sum(self.source.committed.values()) == self.end
        return [(each.key.decode(), json.loads(each.value)) for each in self.source.produced]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    monkeypatch.setattr("triage.serving.turn_topic._RETRY_S", 0.001)


def count(one, outcome):
    return one.metrics.registry.get_sample_value("triage_conversation_topic_turns_total", {"outcome": outcome})


def test_turns_are_answered_in_order_and_redacted(api):
    async def go():
        topic = Topic()
        topic.put(
            turn("c-1", 1, "I want a refund, my mail is jane.miller@example.com", author_id="jane", source="shop"),
            turn("c-1", 2, "112-3456789-0123456"),
            turn("c-2", 1, "a human please"),
        )
        async with api() as one:
            found = dict(await topic.answered(one))
            assert set(found) == {"c-1/1", "c-1/2", "c-2/1"}
            assert "jane" not in json.dumps(found)
            assert found["c-1/1"]["answer"]["ask"] == "order_id"
            assert found["c-1/2"]["author_id"] == one.store.read("c-1").author_id
            assert found["c-2/1"]["answer"]["handoff"]["reason"] == "asked_for_person"
            assert one.store.read("c-1").turns[1].origin == "0-1"

    asyncio.run(go())


def test_a_turn_repeated_on_the_topic_has_one_answer(api):
    async def go():
        topic = Topic()
        first = turn("c-1", 1, "I want a refund")
        topic.put(first, first, turn("c-1", 2, "112-3456789-0123456"), first)
        async with api() as one:
            found = await topic.answered(one)
            assert [key for key, _ in found] == ["c-1/1", "c-1/2"]
            assert (count(one, "answered"), count(one, "repeated")) == (2, 2)

    asyncio.run(go())


@pytest.mark.parametrize("lost", [Unavailable("kafka", "aborted"), Fenced("taken over")])
def test_what_was_not_committed_is_answered_again_and_the_same(api, lost):
    async def go():
        topic = Topic()
        topic.put(turn("c-1", 1, "I want a refund"), turn("c-1", 1, "I want a refund"))
        topic.source.fail_commits = [lost, lost]
        async with api() as one:
            found = await topic.answered(one)
            assert [key for key, _ in found] == ["c-1/1"]
            assert len(one.store.read("c-1").turns) == 1
            assert topic.connected == (3 if isinstance(lost, Fenced) else 1)

    asyncio.run(go())


def test_a_store_that_is_away_delays_answers_only(api):
    async def go():
        topic = Topic()
        topic.put(turn("c-1", 1, "I want a refund"), turn("c-1", 2, "112-3456789-0123456"))
        async with api() as one:
            read, failures = one.store.read, iter([True] * 3)

            def away(identity):
                if next(failures, False):
                    raise Unavailable("elasticsearch", "no node answers")
                return read(identity)

            one.store.read = away
            assert [key for key, _ in await topic.answered(one)] == ["c-1/1", "c-1/2"]

    asyncio.run(go())


def test_what_is_refused_is_told_under_a_key_of_its_own(api):
    async def go():
        topic = Topic()
        topic.put(
            turn("c-1", 1, "I want a refund"), turn("c-1", 1, "something else"), turn("c-1", 5, "x"),
            turn("../x", 1, "x"), b"{", turn("c-1", 2, "x", **{"from": "bot"}), turn("c-9", 1, " "),
        )  # fmt: skip
        async with api() as one:
            found = dict(await topic.answered(one))
            codes = {key: each["refused"]["code"] for key, each in found.items() if "refused" in each}
            assert codes == {
                "c-1/1/refused/0-1": "turn_taken",
                "c-1/5/refused/0-2": "turn_out_of_order",
                "../x/1/refused/0-3": "bad_conversation",
                "c-9/1/refused/0-6": "no_text",
            }
            assert found["c-1/1"]["answer"]["ask"] == "order_id"
            assert count(one, "not_understood") == 2

    asyncio.run(go())


def test_turns_of_erased_authors_are_not_taken_again(api):
    async def go():
        topic = Topic(lambda source, author, written_ms: (source, author, written_ms) == ("shop", "jane", NOW_MS))
        topic.put(
            turn("c-1", 1, "I want a refund", author_id="jane", source="shop"), turn("c-1", 2, "112-3456789-0123456")
        )
        async with api() as one:
            found = dict(await topic.answered(one))
            assert list(found) == ["c-1/2/refused/0-1"]
            assert one.store.read("c-1") is None

    asyncio.run(go())


def test_a_person_may_answer_over_the_topic_and_is_named(api):
    async def go():
        topic = Topic()
        agent = turn("c-1", 2, "Hello, this is Ann", **{"from": "agent"})
        topic.put(turn("c-1", 1, "a human please"), agent | {"actor": " ann "})
        async with api() as one:
            assert dict(await topic.answered(one))["c-1/2"]["actor"] == "ann"
            assert one.store.read("c-1").taken_by == "ann"

    asyncio.run(go())


def test_a_partition_that_was_taken_away_is_answered_elsewhere(api):
    async def go():
        topic = Topic()
        topic.put(turn("c-1", 1, "I want a refund"))
        topic.put(turn("c-2", 1, "I want a refund"), partition=1)
        seen = asyncio.Event()

        def revoke():
            if topic.connected == 1:
                topic.source.revoke((IN, 1))
                topic.loop.call_soon_threadsafe(seen.set)

        topic.source.on_keep_alive = revoke
        async with api() as one:
            slow = one.app.state.conversations.take_turn

            async def take(*args):
                await seen.wait()
                return await slow(*args)

            one.app.state.conversations.take_turn = take
            assert sorted(key for key, _ in await topic.answered(one)) == ["c-1/1", "c-2/1"]
            assert len(one.store.read("c-2").turns) == 1

    asyncio.run(go())


def test_the_message_of_a_stored_turn_is_always_the_same(api):
    async def go():
        async with api() as one:
            body = {"turn": 1, "from": "customer", "text": "I want a refund"}
            await one.post("/v1/conversations/c-1/turns", body)
            stored = one.store.read("c-1").turns[0]
            first, again = (AnsweredTurn.of("c-1", stored, "v1:x") for _ in range(2))
            assert first == again
            # A turn that came over HTTP is told on the topic, too, if it is sent there.
            topic = Topic()
            topic.put(turn("c-1", 1, "I want a refund"))
            assert [key for key, _ in await topic.answered(one)] == ["c-1/1"]

    asyncio.run(go())
