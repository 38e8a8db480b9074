"""Accepts turns and actions of agents, so that each turn is answered exactly once, even if it is sent repeatedly."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from triage.assist.conversations import state as states
from triage.assist.conversations.errors import Contended, RevisionConflict, TurnRefused
from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.observation import count_change
from triage.assist.conversations.store import ConversationStore
from triage.assist.conversations.turns import TurnRequest, TurnTaker, digest_of
from triage.clock import Clock
from triage.config import ConversationSettings
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.schemas.conversation import Answer, Conversation, State, Turn

log = get_logger("triage.conversations")

Act = Literal["take_over", "give_back", "close"]
ACTS: tuple[Act, ...] = ("take_over", "give_back", "close")
_ATTEMPTS = 5
_PAGE = 100
_OPEN: tuple[State, ...] = ("bot", "waiting", "human")


class Taken(NamedTuple):
    """A turn with its answer as stored, and the conversation after it; None if the turn had been answered before.

    `author_id` is the keyed hash of the conversation's author.
    """

    turn: Turn
    conversation: Conversation | None
    author_id: str | None

    @property
    def answer(self) -> Answer:
        """The answer to the turn."""
        return self.turn.answer


class Conversations:
    """All conversations of a store. Thread-safe; several threads and processes may share the store.

    Send a turn to `known` first; if it has no answer yet, enrich its text and call `take`. `author_hash(source, id)`
    computes the keyed hash of an author; `key` is for the digests of texts. `taker` may be replaced at any time:
    conversations keep the playbooks with which they began.
    """

    def __init__(
        self,
        store: ConversationStore,
        taker: TurnTaker,
        settings: ConversationSettings,
        clock: Clock,
        metrics: Metrics,
        author_hash: Callable[[str | None, str], str],
        key: bytes,
    ) -> None:
        self.store = store
        self.taker = taker
        self._settings, self._clock, self._metrics = settings, clock, metrics
        self._author_hash, self._key = author_hash, key

    def known(self, identity: str, request: TurnRequest) -> Taken | None:
        """Return the stored turn if it was answered before; None if it is valid and the next one.

        Raises TurnRefused for an invalid turn; Unavailable, AccessDenied or DependencyError if the store cannot be
        read.
        """
        self._require_valid(identity, request)
        before, known = self._before(identity, request)
        return None if before is None or known is None else Taken(known, None, before.author_id)

    def take(
        self,
        identity: str,
        request: TurnRequest,
        facts: TurnFacts,
        actor: str | None = None,
        origin: str | None = None,
    ) -> Taken:
        """Answer and store a turn of the conversation `identity`, whose text was enriched to `facts`.

        `actor` is the agent who sent it, None for a customer's turn; `origin` is its position if it came by the
        topic. Of several turns sent at the same time with the same number, one is accepted. Raises TurnRefused for an
        invalid turn, Contended if others keep changing the conversation; Unavailable, AccessDenied or DependencyError
        from the store. Then nothing has changed, or the turn was stored and sending it again returns its answer.
        """
        self._require_valid(identity, request)
        digest = digest_of(self._key, identity, request)
        for _ in range(_ATTEMPTS):
            before, known = self._before(identity, request)
            if before is not None and known is not None:
                return Taken(known, None, before.author_id)
            now_ms = self._clock.now_ms()
            begun = before or self._new(identity, request, facts, now_ms)
            after = self.taker.after(begun, request, facts, digest, actor, now_ms, origin)
            if self._stored(before, after):
                return Taken(after.turns[-1], after, after.author_id)
        raise Contended(identity)

    def act(self, identity: str, act: Act, actor: str, outcome: str = "closed_by_agent") -> Conversation:
        """Apply an agent's action: take over, give back to the bot, or close.

        `outcome` is that of a conversation that is closed. A repeated action changes nothing. Raises TurnRefused,
        Contended, and Unavailable, AccessDenied or DependencyError from the store.
        """
        states.require_id(identity)
        for _ in range(_ATTEMPTS):
            before = self.store.read(identity)
            if before is None:
                raise TurnRefused(404, "no_such_conversation", f"no conversation has the id {identity!r}")
            after = _acted(before, act, actor, outcome, self._clock.now_ms())
            if after is before or self._stored(before, after):
                log.info("conversation_act", conversation=identity, act=act, by=actor, state=after.state)
                return after
        raise Contended(identity)

    def close_overdue(self) -> int:
        """Close the conversations that had no turn for longer than the configured time-outs; returns their number."""
        found = 0
        for state in _OPEN:
            for each in self.store.in_state(state, _PAGE):
                now_ms = self._clock.now_ms()
                # The first are those that changed longest ago. A search may be late: the write decides.
                if not states.is_overdue(each, self._settings, now_ms):
                    break
                found += self._stored(each, states.closed(each, "timed_out", now_ms))
        return found

    def _require_valid(self, identity: str, request: TurnRequest) -> None:
        states.require_id(identity)
        limit = self._settings.max_text_chars
        if not request.text.strip():
            raise TurnRefused(422, "no_text", "text is empty; a turn says something")
        if len(request.text) > limit:
            raise TurnRefused(422, "text_too_long", f"text has {len(request.text)} characters; at most {limit}")
        if request.turn < 1:
            raise TurnRefused(422, "bad_turn", f"turn is {request.turn}; turns are counted from 1")

    def _before(self, identity: str, request: TurnRequest) -> tuple[Conversation | None, Turn | None]:
        found = self.store.read(identity)
        if found is None:
            if request.turn != 1:
                message = f"no conversation has the id {identity!r}; the first turn has number 1"
                raise TurnRefused(404, "no_such_conversation", message)
            return None, None
        now_ms = self._clock.now_ms()
        if request.turn > found.last_turn and states.is_overdue(found, self._settings, now_ms):
            after = states.closed(found, "timed_out", now_ms)
            found = after if self._stored(found, after) else self.store.read(identity) or after
        known = states.repeated(found, request.turn, digest_of(self._key, identity, request))
        if known is None and request.turn > self._settings.max_turns:
            message = f"{identity} has {self._settings.max_turns} turns, as many as one may have; begin another"
            raise TurnRefused(409, "too_many_turns", message)
        return found, known

    def _new(self, identity: str, request: TurnRequest, facts: TurnFacts, now_ms: int) -> Conversation:
        author = None if request.author_id is None else self._author_hash(request.source, request.author_id)
        return states.new_conversation(identity, facts.language, now_ms, author, request.source)

    def _stored(self, before: Conversation | None, after: Conversation) -> bool:
        """Store a change; False if the conversation was changed by another first."""
        try:
            self.store.write(after)
        except RevisionConflict:
            return False
        count_change(self._metrics, before, after)
        return True


def _acted(before: Conversation, act: Act, actor: str, outcome: str, now_ms: int) -> Conversation:
    match act:
        case "take_over":
            done = before.state == "human" and before.taken_by == actor
            return before if done else states.taken_over(before, actor, now_ms)
        case "give_back":
            return before if before.state == "bot" else states.given_back(before, now_ms)
        case "close":
            return before if before.state == "closed" else states.closed(before, outcome, now_ms)
