"""Computes the next revision of a conversation from a turn: the bot answers, a person waits, or an agent speaks."""

import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from triage.assist.conversations import state as states
from triage.assist.conversations.bot import Bot, Progress
from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.languages import reply_language
from triage.assist.conversations.packing import pack, unpack
from triage.assist.conversations.suggestions import NextSteps
from triage.assist.conversations.summary import summary_of
from triage.assist.playbooks.model import Playbook
from triage.clock import rfc3339
from triage.config import ConversationSettings
from triage.schemas.conversation import Answer, Conversation, Said, Speaker, State, Turn

_DIGEST_CHARS = 32


class TurnRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A turn as sent by a client.

    `author_id` and `source` count only in the first turn; `step` is what an agent picked.
    """

    turn: int
    speaker: Speaker = msgspec.field(name="from")
    text: str
    language: str | None = None
    author_id: str | None = None
    source: str | None = None
    step: str | None = None


def digest_of(key: bytes, identity: str, request: TurnRequest) -> str:
    """Keyed hash of a conversation's id and a turn's number, speaker and text, to recognize a repeated turn."""
    message = f"{identity}\0{request.turn}\0{request.speaker}\0{request.text}".encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_DIGEST_CHARS]


class TurnTaker:
    """Computes the answers to turns by one set of playbooks. It stores nothing, so a result may be discarded.

    Thread-safe.
    """

    def __init__(self, bot: Bot, next_steps: NextSteps, settings: ConversationSettings) -> None:
        self.version = bot.playbooks.version
        self._bot, self._next_steps, self._settings = bot, next_steps, settings

    def after(
        self,
        before: Conversation,
        request: TurnRequest,
        facts: TurnFacts,
        digest: str,
        actor: str | None,
        now_ms: int,
        origin: str | None = None,
    ) -> Conversation:
        """Return the conversation after the turn `request`, at the next revision; its last turn has the answer.

        `facts` and `digest` are those of the turn's text; `actor` is the agent who sent it, None for a customer's
        turn; `origin` is its position on the topic, if it came by one.
        """
        turn = Turn(
            turn=request.turn,
            speaker=request.speaker,
            text=facts.text,
            language=facts.language,
            at=rfc3339(now_ms),
            digest=digest,
            answer=states.answered(request.turn, before.state),
            intent=facts.intent,
            sentiment=round(facts.sentiment_score, 4),
            step=request.step,
            actor=actor,
            origin=origin,
        )
        if request.speaker == "agent":
            return self._of_agent(before, turn, now_ms)
        known = before.language if before.turns else None
        language = reply_language(facts.text, request.language or facts.language, known)
        before = msgspec.structs.replace(before, language=language)
        if before.state != "bot":
            return self._of_waiting(before, turn, facts, now_ms)
        if not self._settings.bot:
            return self._handed_over(before, turn, "no_bot", None, facts, [], now_ms)
        return self._of_bot(before, turn, facts, now_ms)

    def _of_bot(self, before: Conversation, turn: Turn, facts: TurnFacts, now_ms: int) -> Conversation:
        progress = Progress(
            language=before.language,
            conversation=before.id,
            playbook=playbook_of(before),
            step=before.step,
            asked=before.asked,
            slots=dict(before.slots),
            clarified=before.clarified,
            abstained=before.abstained,
        )
        earlier = [each.sentiment for each in before.turns if each.speaker == "customer"]
        self._bot.respond(progress, facts, earlier)
        if progress.handoff is None and progress.outcome is None and len(earlier) + 1 >= self._settings.max_bot_turns:
            progress.handoff = "too_long"
            text = self._bot.playbooks.texts.handing_over("too_long", before.language)
            progress.say.append(Said(text=text, step="handoff"))
        after = _moved(before, progress)
        if progress.handoff is not None:
            return self._handed_over(after, turn, progress.handoff, progress.playbook, facts, progress.say, now_ms)
        state: State = "bot" if progress.outcome is None else "closed"
        answer = states.answered(turn.turn, state, say=progress.say, ask=progress.asked)
        return states.with_turn(after, _with(turn, answer), now_ms, state=state, outcome=progress.outcome)

    def _handed_over(
        self,
        before: Conversation,
        turn: Turn,
        reason: str,
        playbook: Playbook | None,
        facts: TurnFacts,
        say: list[Said],
        now_ms: int,
    ) -> Conversation:
        handoff = states.handed_over(reason, summary_of(before, playbook, reason, facts, before.language), now_ms)
        answer = states.answered(
            turn.turn,
            "waiting",
            say=say,
            handoff=handoff,
            suggestions=self._next_steps.suggest(_seen(before, turn), playbook, facts),
        )
        return states.with_turn(
            before, _with(turn, answer), now_ms, state="waiting", handoff=handoff, waiting_since=handoff.at, asked=None
        )

    def _of_waiting(self, before: Conversation, turn: Turn, facts: TurnFacts, now_ms: int) -> Conversation:
        """A person is to answer: the bot says nothing but, once, that the customer waits for one."""
        say = []
        if before.state == "waiting" and "waiting" not in before.steps:
            text = self._bot.playbooks.texts.waiting[before.language]
            say = [Said(text=text, step="waiting")]
        answer = states.answered(
            turn.turn,
            before.state,
            say=say,
            suggestions=self._next_steps.suggest(_seen(before, turn), playbook_of(before), facts),
        )
        steps = [*before.steps, *(each.step for each in say)]
        return states.with_turn(before, _with(turn, answer), now_ms, steps=steps)

    def _of_agent(self, before: Conversation, turn: Turn, now_ms: int) -> Conversation:
        """A person who writes has taken over, whoever spoke before."""
        after = self._picked(before, turn.step) if turn.step else before
        suggestions = self._next_steps.suggest(_seen(after, turn), playbook_of(after), None)
        answer = states.answered(turn.turn, "human", suggestions=suggestions)
        taken_by = before.taken_by or turn.actor
        return states.with_turn(
            after, _with(turn, answer), now_ms, state="human", taken_by=taken_by, waiting_since=None, asked=None
        )

    def _picked(self, before: Conversation, step: str) -> Conversation:
        """The conversation after the agent's step; `playbook/step` begins that playbook."""
        name, slash, first = step.partition("/")
        chosen = self._bot.playbooks.by_name.get(name)
        if not slash or chosen is None:
            return msgspec.structs.replace(before, step=step, steps=[*before.steps, step])
        return msgspec.structs.replace(
            before,
            playbook=chosen.label,
            playbook_source=pack(chosen),
            step=first,
            slots={},
            steps=[*before.steps, first],
        )


def playbook_of(conversation: Conversation) -> Playbook | None:
    """The playbook of a conversation, in the version with which it began; None if it has none."""
    return None if conversation.playbook_source is None else unpack(conversation.playbook_source)


def _moved(before: Conversation, progress: Progress) -> Conversation:
    playbook = progress.playbook
    same = playbook is None or (before.playbook_source is not None and before.playbook == playbook.label)
    return msgspec.structs.replace(
        before,
        playbook=before.playbook if same or playbook is None else playbook.label,
        playbook_source=before.playbook_source if same or playbook is None else pack(playbook),
        step=progress.step,
        asked=progress.asked,
        slots=progress.slots,
        clarified=progress.clarified,
        abstained=progress.abstained,
        steps=_joined(before.steps, (each.step for each in progress.say)),
        passages=_joined(before.passages, (each.passage for each in progress.say)),
    )


def _joined(before: list[str], new: Iterable[str | None]) -> list[str]:
    """Names in the order in which they came first."""
    return list(dict.fromkeys([*before, *(each for each in new if each is not None)]))


def _seen(before: Conversation, turn: Turn) -> Conversation:
    """The conversation with the turn that is being answered: suggestions follow the last words, too."""
    return msgspec.structs.replace(before, turns=[*before.turns, turn])


def _with(turn: Turn, answer: Answer) -> Turn:
    return msgspec.structs.replace(turn, answer=answer)
