"""The state of a conversation with a customer, as it is stored: its turns, their answers, and who speaks."""

from typing import Literal

import msgspec

State = Literal["bot", "waiting", "human", "closed"]
STATES: tuple[State, ...] = ("bot", "waiting", "human", "closed")
Speaker = Literal["customer", "agent"]


class Said(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One text that the bot said: approved text of a `step`, or a `passage` quoted word for word."""

    text: str
    step: str
    passage: str | None = None


class Suggestion(msgspec.Struct, kw_only=True):
    """A next step for the agent, with the approved text in the conversation's language and the reason."""

    step: str
    text: str
    why: str


class Handoff(msgspec.Struct, kw_only=True):
    """The hand-off to a person: the reason, the time (RFC 3339), and what that person has to know."""

    reason: str
    at: str
    summary: str


class Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The answer to one turn. It never changes: the same turn, sent again, has the same answer."""

    turn: int
    state: State
    say: list[Said]
    suggestions: list[Suggestion]
    ask: str | None = None
    handoff: Handoff | None = None


class Turn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One turn with its redacted text.

    `digest` is the keyed hash of the text as it came, by which a repeated turn is known. `step` is the step that an
    agent picked from the suggestions, `actor` the agent's name.
    """

    turn: int
    speaker: Speaker = msgspec.field(name="from")
    text: str
    language: str
    at: str
    digest: str
    answer: Answer
    intent: str = ""
    sentiment: float = 0.0
    step: str | None = None
    actor: str | None = None


class Conversation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A conversation. `revision` grows with every change, and is the document's version.

    `playbook` is the label of the playbook and `playbook_source` its compressed content, so that the conversation ends
    by the version it began with. `asked` is the slot that the next turn is to fill, `clarified` the number of turns in
    a row that were not understood, `abstained` that of questions without an answer. `steps` and `passages` are those
    that were said.
    """

    id: str
    revision: int
    state: State
    language: str
    created_at: str
    updated_at: str
    turns: list[Turn]
    playbook: str | None = None
    playbook_source: str | None = None
    step: str | None = None
    asked: str | None = None
    slots: dict[str, str] = {}
    steps: list[str] = []
    passages: list[str] = []
    clarified: int = 0
    abstained: int = 0
    handoff: Handoff | None = None
    waiting_since: str | None = None
    taken_by: str | None = None
    outcome: str | None = None
    author_id: str | None = None
    source: str | None = None

    @property
    def last_turn(self) -> int:
        """Number of the last turn."""
        return self.turns[-1].turn if self.turns else 0
