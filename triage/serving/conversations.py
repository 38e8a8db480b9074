"""Conversations in the API's process: enriches turns, reloads playbooks, and applies time-outs."""

import asyncio
import contextlib
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import msgspec

from triage.assist.conversations.errors import TurnRefused
from triage.assist.conversations.facts import facts_of_turn
from triage.assist.conversations.service import Conversations, Taken
from triage.assist.conversations.turns import TurnRequest, TurnTaker
from triage.clock import Clock, parse_rfc3339
from triage.errors import TriageError
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import ValidatedRecord
from triage.pipeline.stages.reload import Replaceable
from triage.schemas.conversation import Answer
from triage.schemas.raw import RawRecord
from triage.serving.batcher import MicroBatcher
from triage.serving.turn_topic import TurnFollower
from triage.types import Channel
from triage.web.problem import Problem

log = get_logger("triage.conversations")

_LOOK_S = 15.0
_THREADS = 16
_T = TypeVar("_T")


class ConversationService:
    """Answers turns of conversations, after the micro-batcher has enriched them, and closes overdue conversations.

    `take` must be called on the event loop that runs the micro-batcher.
    """

    def __init__(
        self,
        conversations: Conversations,
        batcher: MicroBatcher,
        clock: Clock,
        metrics: Metrics,
        enrich_timeout_s: float,
    ) -> None:
        self.conversations = conversations
        self._batcher, self._clock, self._metrics = batcher, clock, metrics
        self._enrich_timeout_s = enrich_timeout_s
        self._watching: asyncio.Task[None] | None = None
        self._follower: TurnFollower | None = None
        # Threads of its own: a webhook that is slow must not hold the other routes.
        self._threads = ThreadPoolExecutor(_THREADS, "conversations")

    async def take(self, identity: str, turn: TurnRequest, actor: str) -> Answer:
        """Answer a turn of the conversation `identity`, sent by the user `actor`.

        Raises TurnRefused, Overloaded, Problem 503 and Unavailable as `take_turn`.
        """
        return (await self.take_turn(identity, turn, actor)).answer

    async def take_turn(self, identity: str, turn: TurnRequest, actor: str, origin: str | None = None) -> Taken:
        """Answer a turn of the conversation `identity`; returns the stored turn with its answer, and the conversation.

        `origin` is the turn's position on the topic `turns`, None if it came over HTTP. Raises TurnRefused, Overloaded,
        Problem 503 if enrichment takes too long, and Unavailable if Elasticsearch does not answer; after the last two,
        send the same turn again.
        """
        known = await self._on_thread(self.conversations.known, identity, turn)
        if known is not None:
            return known
        record = ValidatedRecord(RawRecord(text=turn.text), Channel.COMPLAINT, self._clock.now_ms(), identity)
        try:
            enriched = await asyncio.wait_for(self._batcher.enrich([record]), self._enrich_timeout_s)
        except TimeoutError:
            limit = self._enrich_timeout_s
            raise Problem(503, "overloaded", f"no result within {limit:g} s; send the turn again", retry_s=1) from None
        facts = facts_of_turn(enriched[0].record)
        actor_of = actor if turn.speaker == "agent" else None
        return await self._on_thread(self.conversations.take, identity, turn, facts, actor_of, origin)

    async def _on_thread(self, function: Callable[..., _T], *args: Any) -> _T:
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, function, *args)

    def read(self, identity: str) -> dict[str, Any]:
        """Return the conversation `identity` as JSON, without its compressed playbook.

        Raises TurnRefused 404 for an unknown id.
        """
        found = self.conversations.store.read(identity)
        if found is None:
            raise TurnRefused(404, "no_such_conversation", f"no conversation has the id {identity!r}")
        fields: dict[str, Any] = msgspec.to_builtins(found)
        fields.pop("playbook_source", None)
        return fields

    def follow(self, follower: TurnFollower) -> None:
        """Let `follower` answer the turns of a topic, from `start` of this service to its `stop`."""
        self._follower = follower

    def start(self) -> None:
        """Start the task that every 15 s counts waiting conversations and closes overdue ones, and the follower."""
        loop = asyncio.get_running_loop()
        self._watching = loop.create_task(self._watch(), name="conversations")
        if self._follower is not None:
            self._follower.start(loop)

    async def stop(self) -> None:
        if self._follower is not None:
            await asyncio.to_thread(self._follower.stop)
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        self._threads.shutdown(wait=False)

    def look(self) -> None:
        """Close conversations that have timed out, and update the metrics of waiting ones. Blocks."""
        self.conversations.close_overdue()
        store = self.conversations.store
        waiting = store.counts().get("waiting", 0)
        since = [
            parse_rfc3339(each.waiting_since)
            for each in store.in_state("waiting", 1_000)
            if each.waiting_since is not None
        ]
        longest_s = max(0.0, (self._clock.now_ms() - min(since)) / 1000) if since else 0.0
        self._metrics.conversations_waiting.set(waiting)
        self._metrics.conversations_longest_wait_seconds.set(longest_s)

    async def _watch(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.look)
            except TriageError as error:
                log.warning("conversations_not_looked_at", error=str(error))
            await asyncio.sleep(_LOOK_S)


def playbooks_replaceable(conversations: Conversations, identity: Any, build: Any, seen: str) -> Replaceable:
    """Return what a Reloader needs to replace the playbooks of `conversations`.

    `build` makes a TurnTaker from the current files, `identity` returns a text that changes with the files, and `seen`
    is that text for the loaded ones.
    """

    def apply(taker: TurnTaker) -> tuple[str, str]:
        before, conversations.taker = conversations.taker, taker
        return before.version, taker.version

    return Replaceable("playbooks", identity, build, apply, seen)
