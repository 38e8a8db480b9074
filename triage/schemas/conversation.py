"""The stored state of a conversation with a customer: its turns, their answers, and who is replying (bot or person)."""

from typing import Literal

import msgspec

State = Literal["bot", "waiting", "human", "closed"]
STATES: tuple[State, ...] = ("bot", "waiting", "human", "closed")
Speaker = Literal["customer", "agent"]


class Said(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One text that the bot said: the approved text of a step of the playbook, or a `passage` quoted word for word.

    `step` is the name of the step, `passage` that of the passage, such as `returns#3`.
    """

    text: str
    step: str
    passage: str | None = None


class Suggestion(msgspec.Struct, kw_only=True):
    """A suggested next step of the playbook: its name, its text in the conversation's language, and the reason."""

    step: str
    text: str
    why: str


class Handoff(msgspec.Struct, kw_only=True):
    """The hand-off from the bot to a person: reason, time (RFC 3339), and a summary for that person."""

    reason: str
    at: str
    summary: str


class Answer(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The answer to one turn. It never changes: if the same turn is sent again, it gets the same answer.

    `say` is what the bot says, `suggestions` are for the agent, `ask` is the slot that the next turn should fill.
    """

    turn: int
    state: State
    say: list[Said]
    suggestions: list[Suggestion]
    ask: str | None = None
    handoff: Handoff | None = None


class Turn(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One turn of a conversation, with its redacted text.

    `digest` is the keyed hash of the original text, to recognize a repeated turn. `step` is the step that an agent
    picked from the suggestions, `actor` the agent's name. `origin` is the position, as
    `partition-offset`, of a turn that came by the topic `turns`.
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
    origin: str | None = None


class Conversation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A conversation. `revision` increases with every change, and is the document's version.

    `playbook` is the label of the playbook and `playbook_source` its compressed content: a conversation keeps the
    version with which it began. `step` is its current step, `slots` are the values that the customer has given, by
    name. `asked` is the slot that the next turn should fill, `clarified` the number of consecutive turns that were not
    understood, `abstained` that of questions without an answer. `steps` and `passages` are those already shown.
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
        """Number of the conversation's last turn; 0 if there is none."""
        return self.turns[-1].turn if self.turns else 0
