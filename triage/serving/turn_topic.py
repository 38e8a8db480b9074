"""Follows the topic `turns`: answers each turn and sends the answer to `answered-turns`.

A thread owns the source, which commits answers and offsets in one transaction; the answering itself runs on the event
loop of the API, next to requests. What was answered but not committed is read again, and yields the same answers: the
stored conversation decides, not this process. So a restart, a rebalance or a lost transaction answers no turn twice and
none never.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from triage.errors import Fenced, TriageError
from triage.logging import get_logger
from triage.pipeline.batch import ConsumedMessage, Partition
from triage.pipeline.source import Message, Source
from triage.web.problem import Problem

log = get_logger("triage.turns")

_BATCH = 64
_POLL_MS = 200
_KEEP_ALIVE_MS = 50
_RETRY_S = 1.0
_STOP_TIMEOUT_S = 5.0

Answer = Callable[[Sequence[ConsumedMessage]], Awaitable[list[Message]]]


class TurnFollower:
    """A thread that reads turns from a topic and sends their answers, until it is stopped.

    `connect` makes a source, at the start and after each failure of the last one; `answer` makes the answers to a batch
    of messages, on the event loop that `start` is given.
    """

    def __init__(self, connect: Callable[[], Source], answer: Answer) -> None:
        self._connect, self._answer = connect, answer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="triage-turns", daemon=True)
        self._failing = False

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the thread; `loop` is the event loop on which `answer` runs."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end, and wait for it. Call it on another thread than that of the event loop."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            source: Source | None = None
            try:
                source = self._connect()
                self._follow(source)
            except (TriageError, Problem) as error:
                self._failed(error)
            except Exception:
                # Without it no turn would be answered any more, and nobody told.
                log.exception("turns_failed")
            finally:
                if source is not None:
                    with suppress(TriageError):
                        source.close()
            self._stop.wait(_RETRY_S)

    def _follow(self, source: Source) -> None:
        waiting: list[ConsumedMessage] = []
        while not self._stop.is_set():
            waiting = waiting or source.poll(_POLL_MS, _BATCH)
            # A partition that went to another member is read there.
            waiting = _without(waiting, source.stale(waiting))
            if not waiting:
                continue
            try:
                messages = self._answered(source, waiting)
                self._commit(source, waiting, messages)
            except Fenced:
                raise
            except (TriageError, Problem) as error:
                self._failed(error)
                self._rest(source)
                continue
            if self._failing:
                self._failing = False
                log.info("turns_answered_again")
            waiting = []

    def _answered(self, source: Source, waiting: Sequence[ConsumedMessage]) -> list[Message]:
        """Answer on the event loop, and stay in the consumer group meanwhile."""

        async def answer() -> list[Message]:
            return await self._answer(waiting)

        future = asyncio.run_coroutine_threadsafe(answer(), self._loop)
        while True:
            try:
                return future.result(_KEEP_ALIVE_MS / 1000)
            except concurrent.futures.TimeoutError:
                if future.done():
                    raise
            except concurrent.futures.CancelledError:
                raise Fenced("the API stops") from None
            if self._stop.is_set():
                future.cancel()
                raise Fenced("the API stops")
            source.keep_alive(1)

    def _commit(self, source: Source, waiting: Sequence[ConsumedMessage], messages: Sequence[Message]) -> None:
        if source.stale(waiting):
            # The answers are not told apart by partition: what is still ours is answered again, from the store.
            raise Fenced("partitions were taken away while their turns were answered")
        source.commit(messages, _next_offsets(waiting))

    def _rest(self, source: Source) -> None:
        for _ in range(int(_RETRY_S * 1000 / _KEEP_ALIVE_MS)):
            if not self._stop.wait(_KEEP_ALIVE_MS / 1000):
                source.keep_alive(1)

    def _failed(self, error: Exception) -> None:
        if not self._stop.is_set() and not self._failing:
            self._failing = True
            log.warning("turns_not_answered", error=str(error))


def _without(messages: Sequence[ConsumedMessage], partitions: set[Partition]) -> list[ConsumedMessage]:
    return [message for message in messages if message.partition not in partitions]


def _next_offsets(messages: Sequence[ConsumedMessage]) -> Mapping[Partition, int]:
    found: dict[Partition, int] = {}
    for message in messages:
        found[message.partition] = max(found.get(message.partition, 0), message.position.offset + 1)
    return found
