"""Turns of conversations in topics: as they are sent to `turns`, and with their answers in `answered-turns`."""

import msgspec

from triage.schemas.conversation import Answer, Speaker, Turn


class IncomingTurn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A message of the topic `turns`, which holds texts as they were written; its key is `conversation`.

    Turns of a conversation are numbered from 1. `author_id` and `source` count only in the first turn; `step` is what
    an agent picked, `actor` the agent's name.
    """

    conversation: str
    turn: int
    speaker: Speaker = msgspec.field(name="from")
    text: str
    language: str | None = None
    author_id: str | None = None
    source: str | None = None
    step: str | None = None
    actor: str | None = None


class RefusedTurn(msgspec.Struct, kw_only=True):
    """The reason for which a turn was refused: a stable `code`, and a sentence."""

    code: str
    message: str


class AnsweredTurn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A message of the topic `answered-turns`; its text is redacted.

    The key of a turn that was taken is `conversation/turn`: there is one message, however often the turn was sent. A
    turn that was `refused` has no text and no answer, and the key `conversation/turn/refused/partition-offset`.
    `author_id` is the keyed hash of the conversation's author.
    """

    conversation: str
    turn: int
    speaker: Speaker | None = msgspec.field(name="from", default=None)
    text: str = ""
    language: str = ""
    at: str = ""
    intent: str = ""
    sentiment: float = 0.0
    step: str | None = None
    actor: str | None = None
    answer: Answer | None = None
    refused: RefusedTurn | None = None
    author_id: str | None = None

    @classmethod
    def of(cls, conversation: str, turn: Turn, author_id: str | None) -> "AnsweredTurn":
        """Return the message for the stored `turn`; the same turn always gives the same message."""
        return cls(
            conversation=conversation,
            turn=turn.turn,
            speaker=turn.speaker,
            text=turn.text,
            language=turn.language,
            at=turn.at,
            intent=turn.intent,
            sentiment=turn.sentiment,
            step=turn.step,
            actor=turn.actor,
            answer=turn.answer,
            author_id=author_id,
        )
