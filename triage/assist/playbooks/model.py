"""Structure of a playbook: triggers, slots, policies, and the steps with their order."""

import hashlib
from typing import Literal

import msgspec

Text = dict[str, str]
"""Approved wording by language code, e.g. `{"en": ..., "zh": ...}`."""
LANGUAGES = ("en", "zh")
HANDOFF_REASONS = (
    "asked_for_person",
    "not_understood",
    "no_answer",
    "negative_and_falling",
    "severe",
    "fraud",
    "legal",
    "safety",
    "sensitive",
    "playbook",
    "too_long",
    "no_bot",
)
SlotKind = Literal["entity", "choice", "yes_no", "number", "text"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    pass


class Triggers(_Part, frozen=True):
    """Start conditions of a playbook: a phrase of the customer, else the predicted intent."""

    intents: list[str] = []
    phrases: dict[str, list[str]] = {}


class Slot(_Part, frozen=True):
    """One piece of information needed from the customer, and how it is read from a text.

    `entity` reads an entity with one of the labels in `entities`; `choice` reads a value of which the text has a
    word; of several values the one that the playbook lists first. `values` has the words of each value by language.
    The bot never asks for a sensitive slot.
    """

    kind: SlotKind
    title: Text
    entities: list[str] = []
    values: dict[str, dict[str, list[str]]] = {}
    sensitive: bool = False


class Policy(_Part, frozen=True):
    """A passage that must be shown verbatim; `article` is its place in the knowledge base."""

    title: Text
    text: Text
    article: str | None = None


class When(_Part, frozen=True):
    """Condition of a branch; every given field must hold.

    `is_` and `is_not` compare the value of `slot` with texts, `above` and `below` with a number. `check` is the outcome
    of the last check: found, missing or failed.
    """

    slot: str | None = None
    is_: list[str] | str | None = msgspec.field(default=None, name="is")
    is_not: list[str] | str | None = None
    above: float | None = None
    below: float | None = None
    missing: bool | None = None
    check: Literal["found", "missing", "failed"] | None = None
    intent: list[str] | str | None = None
    sentiment: Literal["negative", "neutral", "positive"] | None = None


class Branch(_Part, frozen=True):
    """A possible next step: taken if `when` holds; the last branch of a step has no condition."""

    to: str
    when: When | None = None


class Check(_Part, frozen=True):
    """A lookup with the outcome found, missing or failed.

    `field` is a slot that may already be known; `webhook` gets the slots `send`, and its response fills the slots
    `into`; `knowledge` is the slot with a question, which cited passages of the knowledge base answer.
    """

    field: str | None = None
    webhook: str | None = None
    knowledge: str | None = None
    send: list[str] = []
    into: list[str] = []


class Step(_Part, frozen=True):
    """One step. At most one of `ask`, `check`, `advise`, `handoff` and `end` is set; without any it only says text.

    `advise` is the slot of kind text that keeps the customer's wishes while the product guide asks and recommends; its
    outcome is that of a check.

    `ask` is the slot that the customer's next turn should fill, `clarify` the text if it does not. `policy` is shown
    after `say`. `end` is the outcome with which the conversation closes. An agent may take a step `anytime` at any
    point.
    """

    name: str
    say: Text | None = None
    ask: str | None = None
    clarify: Text | None = None
    check: Check | None = None
    advise: str | None = None
    policy: str | None = None
    handoff: str | None = None
    end: str | None = None
    anytime: bool = False
    next: str | list[Branch] | None = None

    def branches(self) -> list[Branch]:
        """The branches after the step, in order; none after `handoff` and `end`."""
        if self.next is None:
            return []
        return [Branch(to=self.next)] if isinstance(self.next, str) else self.next


class Playbook(_Part, frozen=True):
    """One playbook, which starts with its first step.

    If `bot` is false it is only for agents: the bot hands over at once.

    `strict` is false if agents may take the steps in any order, as in playbooks converted from dialogues: then every
    step is allowed at any point, and the order only ranks them.
    """

    name: str
    version: str
    title: Text
    steps: list[Step]
    kind: Literal["service", "sales", "guide"] = "service"
    languages: list[str] = msgspec.field(default_factory=lambda: list(LANGUAGES))
    bot: bool = True
    strict: bool = True
    handoff: str = "playbook"
    triggers: Triggers = Triggers()
    slots: dict[str, Slot] = {}
    policies: dict[str, Policy] = {}

    @property
    def label(self) -> str:
        """Name, version, and 8 hex digits of the SHA-256 of the content: `refund@2026.1+1f0c9a3b`."""
        return f"{self.name}@{self.version}+{hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:8]}"

    def step(self, name: str) -> Step | None:
        """The step with this name; None if there is none."""
        return next((each for each in self.steps if each.name == name), None)
