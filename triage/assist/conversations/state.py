"""The states of a conversation and the transitions between them: bot → waiting → human → closed.

Every function returns a new conversation with the next revision, and does not change the given one. The store decides
which change is valid: it accepts one writer of each revision. After a hand-off only an agent's action reactivates the
bot.
"""

import re
from typing import Any

import msgspec

from triage.assist.conversations.errors import TurnRefused
from triage.clock import HOUR_MS, MINUTE_MS, parse_rfc3339, rfc3339
from triage.config import ConversationSettings
from triage.schemas.conversation import Answer, Conversation, Handoff, State, Suggestion, Turn

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


def require_id(identity: str) -> None:
    """Raise TurnRefused 422 if `identity` is not valid as the id of a conversation."""
    if _ID.fullmatch(identity) is None:
        message = "a conversation's id has 1 to 128 letters, digits and . _ : - and begins with a letter or digit"
        raise TurnRefused(422, "bad_conversation", message)


def new_conversation(
    identity: str, language: str, now_ms: int, author: str | None = None, source: str | None = None
) -> Conversation:
    """Create a conversation with the id `identity` and no turns, at revision 0, which is not stored yet.

    `author` is the keyed hash of its author.
    """
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


def repeated(conversation: Conversation, turn: int, digest: str) -> Turn | None:
    """Return the stored turn of number `turn` if it was answered before; None if `turn` is the next number.

    `digest` is that of the sent text. Raises TurnRefused 409 if the stored turn has another digest, if the number is
    out of order, or if the conversation is closed.
    """
    taken = next((each for each in conversation.turns if each.turn == turn), None)
    if taken is not None:
        if taken.digest != digest:
            message = (
                f"turn {turn} of {conversation.id} was sent with another text; the next is {turn_after(conversation)}"
            )
            raise TurnRefused(409, "turn_taken", message)
        return taken
    if conversation.state == "closed":
        message = f"{conversation.id} is closed ({conversation.outcome or 'closed'}); begin another conversation"
        raise TurnRefused(409, "conversation_closed", message)
    if turn != turn_after(conversation):
        message = f"turn {turn} of {conversation.id} is out of order; the next is {turn_after(conversation)}"
        raise TurnRefused(409, "turn_out_of_order", message)
    return None


def turn_after(conversation: Conversation) -> int:
    """Number of the next turn of a conversation."""
    return conversation.last_turn + 1


def with_turn(conversation: Conversation, turn: Turn, now_ms: int, **changes: Any) -> Conversation:
    """Return the conversation with an additional turn; `changes` are new values of its other fields."""
    return _changed(conversation, now_ms, turns=[*conversation.turns, turn], **changes)


def handed_over(reason: str, summary: str, now_ms: int) -> Handoff:
    """Create the hand-off to a person at `now_ms` (ms since the epoch).

    `reason` is a short name, `summary` is for the person.
    """
    return Handoff(reason=reason, at=rfc3339(now_ms), summary=summary)


def taken_over(conversation: Conversation, actor: str, now_ms: int) -> Conversation:
    """Return the conversation after an agent, `actor`, has taken over. Raises TurnRefused if it is closed."""
    _require_open(conversation)
    return _changed(conversation, now_ms, state="human", taken_by=actor, waiting_since=None)


def given_back(conversation: Conversation, now_ms: int) -> Conversation:
    """Return the conversation as given back to the bot: playbook, slots and hand-off are cleared for another matter.

    Raises TurnRefused unless a person leads it or it waits for one.
    """
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
    """Return the conversation as closed, with this outcome. Raises TurnRefused if it is already closed."""
    _require_open(conversation)
    return _changed(conversation, now_ms, state="closed", outcome=outcome, waiting_since=None, asked=None)


def is_overdue(conversation: Conversation, settings: ConversationSettings, now_ms: int) -> bool:
    """True if the conversation had no change for longer than the settings allow."""
    if conversation.state == "closed":
        return False
    return now_ms - parse_rfc3339(conversation.updated_at) >= time_out_ms(conversation.state, settings)


def time_out_ms(state: State, settings: ConversationSettings) -> float:
    """Time in ms without a turn after which a conversation in this state is closed."""
    if state == "waiting":
        return settings.waiting_time_out_hours * HOUR_MS
    return settings.time_out_minutes * MINUTE_MS


def answered(turn: int, state: State, **fields: Any) -> Answer:
    """Create the answer to the turn of number `turn`, after which the conversation is in `state`.

    Texts and suggestions are empty unless given in `fields`.
    """
    suggestions: list[Suggestion] = fields.pop("suggestions", [])
    return Answer(turn=turn, state=state, say=fields.pop("say", []), suggestions=suggestions, **fields)


def _require_open(conversation: Conversation) -> None:
    if conversation.state == "closed":
        raise TurnRefused(409, "conversation_closed", f"{conversation.id} is closed")


def _changed(conversation: Conversation, now_ms: int, **changes: Any) -> Conversation:
    return msgspec.structs.replace(
        conversation, revision=conversation.revision + 1, updated_at=rfc3339(now_ms), **changes
    )
