"""The states of a conversation and the changes between them: bot → waiting → human → closed.

Every function makes a new conversation with the next revision from the one it is given, and changes nothing. The store
decides which change holds: it accepts one writer of each revision. After a hand-off only a person's act makes the bot
speak again.
"""

import re
from typing import Any

import msgspec

from triage.assist.conversations.errors import TurnRefused
from triage.clock import parse_rfc3339, rfc3339
from triage.config import ConversationSettings
from triage.schemas.conversation import Answer, Conversation, Handoff, State, Suggestion, Turn

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000


def require_id(identity: str) -> None:
    """Raises TurnRefused 422 for an id that can't name a conversation."""
    if _ID.fullmatch(identity) is None:
        message = "a conversation's id has 1 to 128 letters, digits and . _ : - and begins with a letter or digit"
        raise TurnRefused(422, "bad_conversation", message)


def new_conversation(
    identity: str, language: str, now_ms: int, author: str | None = None, source: str | None = None
) -> Conversation:
    """A conversation without turns, at revision 0: the store has none like it."""
    at = rfc3339(now_ms)
    return Conversation(
        id=identity,
        revision=0,
        state="bot",
        language=language,
        created_at=at,
        updated_at=at,
        turns=[],
        author_id=author,
        source=source,
    )


def repeated(conversation: Conversation, turn: int, digest: str) -> Answer | None:
    """The answer of a turn that was taken before; None if it is the next one.

    Raises TurnRefused 409 if the number was taken by another text, is out of order, or the conversation is closed.
    """
    taken = next((each for each in conversation.turns if each.turn == turn), None)
    if taken is not None:
        if taken.digest != digest:
            message = (
                f"turn {turn} of {conversation.id} was sent with another text; the next is {turn_after(conversation)}"
            )
            raise TurnRefused(409, "turn_taken", message)
        return taken.answer
    if conversation.state == "closed":
        message = f"{conversation.id} is closed ({conversation.outcome or 'closed'}); begin another conversation"
        raise TurnRefused(409, "conversation_closed", message)
    if turn != turn_after(conversation):
        message = f"turn {turn} of {conversation.id} is out of order; the next is {turn_after(conversation)}"
        raise TurnRefused(409, "turn_out_of_order", message)
    return None


def turn_after(conversation: Conversation) -> int:
    """Number of the next turn."""
    return conversation.last_turn + 1


def with_turn(conversation: Conversation, turn: Turn, now_ms: int, **changes: Any) -> Conversation:
    """The conversation after a turn; `changes` are its other fields."""
    return _changed(conversation, now_ms, turns=[*conversation.turns, turn], **changes)


def handed_over(reason: str, summary: str, now_ms: int) -> Handoff:
    """The hand-off to a person at this time, in ms since the epoch."""
    return Handoff(reason=reason, at=rfc3339(now_ms), summary=summary)


def taken_over(conversation: Conversation, actor: str, now_ms: int) -> Conversation:
    """A person speaks from now on. Raises TurnRefused if the conversation is closed."""
    _require_open(conversation)
    return _changed(conversation, now_ms, state="human", taken_by=actor, waiting_since=None)


def given_back(conversation: Conversation, now_ms: int) -> Conversation:
    """The bot speaks again, from the beginning of a matter. Raises TurnRefused unless a person spoke or was awaited."""
    if conversation.state not in {"waiting", "human"}:
        raise TurnRefused(409, "not_with_person", f"{conversation.id} is {conversation.state}, not with a person")
    return _changed(
        conversation,
        now_ms,
        state="bot",
        taken_by=None,
        waiting_since=None,
        handoff=None,
        playbook=None,
        playbook_source=None,
        step=None,
        asked=None,
        slots={},
        clarified=0,
        abstained=0,
    )


def closed(conversation: Conversation, outcome: str, now_ms: int) -> Conversation:
    """The conversation takes no more turns. Raises TurnRefused if it is closed already."""
    _require_open(conversation)
    return _changed(conversation, now_ms, state="closed", outcome=outcome, waiting_since=None, asked=None)


def is_overdue(conversation: Conversation, settings: ConversationSettings, now_ms: int) -> bool:
    """True if nothing has happened for longer than the settings allow."""
    if conversation.state == "closed":
        return False
    return now_ms - parse_rfc3339(conversation.updated_at) >= time_out_ms(conversation.state, settings)


def time_out_ms(state: State, settings: ConversationSettings) -> float:
    """Time in ms without a turn after which a conversation in a state is closed."""
    if state == "waiting":
        return settings.waiting_time_out_hours * _HOUR_MS
    return settings.time_out_minutes * _MINUTE_MS


def answered(turn: int, state: State, **fields: Any) -> Answer:
    """An answer to a turn, without texts and suggestions unless `fields` has them."""
    suggestions: list[Suggestion] = fields.pop("suggestions", [])
    return Answer(turn=turn, state=state, say=fields.pop("say", []), suggestions=suggestions, **fields)


def _require_open(conversation: Conversation) -> None:
    if conversation.state == "closed":
        raise TurnRefused(409, "conversation_closed", f"{conversation.id} is closed")


def _changed(conversation: Conversation, now_ms: int, **changes: Any) -> Conversation:
    return msgspec.structs.replace(
        conversation, revision=conversation.revision + 1, updated_at=rfc3339(now_ms), **changes
    )
