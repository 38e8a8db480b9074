"""Answers the messages of the topic `turns`, each turn of a conversation once."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from triage.assist.conversations.errors import TurnRefused
from triage.assist.conversations.turns import TurnRequest
from triage.errors import NotUnderstood
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import ConsumedMessage
from triage.pipeline.source import Message
from triage.schemas.message import MessageDecoder
from triage.schemas.turn import AnsweredTurn, IncomingTurn, RefusedTurn
from triage.serving.conversations import ConversationService

log = get_logger("triage.turns")

_MAX_NAME_CHARS = 100
_ACTOR = "agent"

Erased = Callable[[str | None, str, int], bool]
"""True if the author (source, id) was erased at or after a time in ms."""


class TurnAnswers:
    """Answers batches of messages of the topic `turns`; the answers go to `topic`. Use it on the service's event loop.

    A turn that is repeated on the topic is not answered again: the stored turn has the position of the message that
    brought it, so that only this message, read again after a failure, yields the answer again.
    """

    def __init__(self, service: ConversationService, topic: str, metrics: Metrics, erased: Erased) -> None:
        self._service, self._topic, self._metrics, self._erased = service, topic, metrics, erased
        self._decoder: MessageDecoder[IncomingTurn] = MessageDecoder(IncomingTurn)

    async def answer(self, batch: Sequence[ConsumedMessage]) -> list[Message]:
        """Answer the messages, those of one conversation in their order; returns the messages to send, in any order.

        Raises Overloaded, Problem 503 or Unavailable: then answer the whole batch again. A refused turn is an answer,
        too.
        """
        by_conversation: dict[str, list[tuple[ConsumedMessage, IncomingTurn]]] = {}
        for message in batch:
            try:
                turn = self._decoder.decode(message.value)
            except NotUnderstood:
                # It names no conversation, so there is nobody to tell. The message is not logged: it is not redacted.
                log.warning("turn_not_understood", partition=message.position.partition, offset=message.position.offset)
                self._count("not_understood")
                continue
            if turn.author_id is not None and self._erased(turn.source, turn.author_id, message.timestamp_ms):
                self._count("erased")
                continue
            by_conversation.setdefault(turn.conversation, []).append((message, turn))
        found = await asyncio.gather(*(self._in_order(turns) for turns in by_conversation.values()))
        return [message for messages in found for message in messages]

    async def _in_order(self, turns: Sequence[tuple[ConsumedMessage, IncomingTurn]]) -> list[Message]:
        found = [await self._answered(message, turn) for message, turn in turns]
        return [message for message in found if message is not None]

    async def _answered(self, message: ConsumedMessage, turn: IncomingTurn) -> Message | None:
        origin = f"{message.position.partition}-{message.position.offset}"
        request = TurnRequest(
            turn=turn.turn,
            speaker=turn.speaker,
            text=turn.text,
            language=turn.language,
            author_id=turn.author_id,
            source=turn.source,
            step=turn.step,
        )
        key = f"{turn.conversation}/{turn.turn}"
        try:
            taken = await self._service.take_turn(turn.conversation, request, _name(turn.actor), origin)
        except TurnRefused as refused:
            self._count("refused")
            why = RefusedTurn(code=refused.code, message=str(refused))
            # Under a key of its own: the turn with this number may have an answer, which stays.
            return self._message(
                f"{key}/refused/{origin}",
                AnsweredTurn(conversation=turn.conversation[:_MAX_NAME_CHARS], turn=turn.turn, refused=why),
            )
        if taken.turn.origin not in {origin, None}:
            self._count("repeated")
            return None
        self._count("answered")
        return self._message(key, AnsweredTurn.of(turn.conversation, taken.turn, taken.author_id))

    def _message(self, key: str, answered: AnsweredTurn) -> Message:
        return Message(self._topic, key[:500].encode(), msgspec.json.encode(answered))

    def _count(self, outcome: str) -> None:
        self._metrics.conversation_topic_turns.labels(outcome).inc()


def _name(actor: str | None) -> str:
    return (actor or _ACTOR).strip()[:_MAX_NAME_CHARS] or _ACTOR
