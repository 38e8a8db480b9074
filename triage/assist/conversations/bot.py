"""The bot: says approved texts, asks for slots, looks up data, or hands over. It has no state and no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from triage.assist.conversations.answers import Answerer, NoGuide, NoKnowledge, ProductGuide, Webhooks
from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.guard import Guard
from triage.assist.conversations.matching import Matcher
from triage.assist.conversations.slots import fill_slots, read_slot
from triage.assist.conversations.wishes import is_farewell, is_greeting, prepared, says_solved
from triage.assist.playbooks.check import as_list, placeholders
from triage.assist.playbooks.loader import Playbooks
from triage.assist.playbooks.model import Check, Playbook, Step, When
from triage.schemas.conversation import Said

_MAX_STEPS = 50
_QUESTION = ("?", "？", "吗", "呢")


@dataclass
class Progress:
    """The progress of a conversation, which the bot updates.

    `step` is the last step. `asked` is the slot that the next turn should fill, `check` the outcome of the last
    check; `clarified` and `abstained` count turns in a row that were not understood, and questions that had no
    answer. After `respond`, `say` are the bot's texts, and `handoff` (a reason) or `outcome` is set if the bot's part
    ends.
    """

    language: str
    conversation: str = ""
    playbook: Playbook | None = None
    step: str | None = None
    asked: str | None = None
    slots: dict[str, str] = field(default_factory=dict)
    clarified: int = 0
    abstained: int = 0
    say: list[Said] = field(default_factory=list)
    handoff: str | None = None
    outcome: str | None = None
    check: str | None = None


class Bot:
    """Answers customers by playbooks. Thread-safe.

    `respond` does not raise, whatever a customer writes. All that it says are texts of the playbooks, of `texts.yaml`,
    or passages cited by `answerer`.
    """

    def __init__(
        self,
        playbooks: Playbooks,
        guard: Guard,
        webhooks: Webhooks,
        answerer: Answerer | None = None,
        clarify_times: int = 2,
        guide: ProductGuide | None = None,
    ) -> None:
        self.playbooks = playbooks
        self.matcher = Matcher(playbooks)
        self._guard = guard
        self._webhooks = webhooks
        self._answerer = answerer or NoKnowledge()
        self._guide = guide or NoGuide()
        self._clarify_times = clarify_times

    def respond(self, progress: Progress, facts: TurnFacts, sentiments: Sequence[float] = ()) -> None:
        """Answer one turn of the customer by updating `progress`.

        `sentiments` are the scores (-1 to 1) of the customer's earlier turns, oldest first.
        """
        text, playbook = prepared(facts.text), progress.playbook
        slot = playbook.slots.get(progress.asked or "") if playbook is not None else None
        answers = slot is not None and slot.kind != "text" and read_slot(slot, facts, asked=True) is not None
        if reason := self._guard.reason(facts, sentiments, answers=answers):
            self._hand_over(progress, reason)
            return
        if playbook is None:
            self._begin(progress, facts, text)
        elif progress.language not in playbook.languages:
            self._hand_over(progress, "not_understood")
        else:
            self._continue(progress, playbook, facts, text)

    def _begin(self, progress: Progress, facts: TurnFacts, text: str) -> None:
        texts = self.playbooks.texts
        if is_greeting(text):
            self._say(progress, texts.greeting[progress.language], "greeting")
            self._say(progress, texts.which[progress.language], "which")
            return
        if is_farewell(text):
            self._say(progress, texts.closed[progress.language], "closed")
            progress.outcome = "closed_by_customer"
            return
        if (playbook := self.matcher.match(facts)) is not None:
            self._start(progress, playbook, facts)
        elif cited := self._answerer.cited(facts.text, progress.language):
            progress.say += cited
            progress.clarified = 0
            self._say(progress, texts.anything_else[progress.language], "anything_else")
        else:
            progress.abstained += _asks(facts.text)
            self._clarify(progress, None)

    def _start(self, progress: Progress, playbook: Playbook, facts: TurnFacts) -> None:
        progress.playbook, progress.clarified, progress.abstained = playbook, 0, 0
        if not playbook.bot or progress.language not in playbook.languages:
            self._hand_over(progress, playbook.handoff)
            return
        progress.slots = fill_slots(playbook, {}, facts, None)
        self._advance(progress, playbook, playbook.steps[0].name, facts)

    def _continue(self, progress: Progress, playbook: Playbook, facts: TurnFacts, text: str) -> None:
        step = playbook.step(progress.step or "")
        slot = playbook.slots.get(progress.asked or "")
        if step is None or slot is None or progress.asked is None:
            self._start(progress, playbook, facts)
            return
        value = read_slot(slot, facts, asked=True)
        if value is None or slot.kind == "text":
            other = self.matcher.match(facts, by_phrase=True)
            # The customer has another matter now, and says so in its own words.
            if other is not None and other.name != playbook.name and value is None:
                self._start(progress, other, facts)
                return
        if value is None:
            mentioned = fill_slots(playbook, progress.slots, facts, None)
            if mentioned != progress.slots and not says_solved(text):
                # It answers a later question, so it is not counted as a failed attempt.
                progress.slots = mentioned
                self._ask(progress, step)
                return
            self._not_filled(progress, step, facts, text)
            return
        if step.advise is not None:
            progress.clarified = progress.abstained = 0
            self._advance(progress, playbook, step.name, facts)
            return
        progress.slots = fill_slots(playbook, {**progress.slots, progress.asked: value}, facts, progress.asked)
        progress.clarified = progress.abstained = 0
        progress.asked = None
        self._after(progress, playbook, step, facts)

    def _not_filled(self, progress: Progress, step: Step, facts: TurnFacts, text: str) -> None:
        if is_farewell(text) or says_solved(text):
            self._say(progress, self.playbooks.texts.closed[progress.language], "closed")
            progress.outcome = "closed_by_customer"
            return
        if _asks(facts.text) and (cited := self._answerer.cited(facts.text, progress.language)):
            progress.say += cited
            self._ask(progress, step)
            return
        progress.abstained += _asks(facts.text)
        self._clarify(progress, step)

    def _clarify(self, progress: Progress, step: Step | None) -> None:
        """Ask again, but not more often than allowed: then a person takes over."""
        progress.clarified += 1
        if progress.clarified > self._clarify_times:
            self._hand_over(progress, "no_answer" if progress.abstained > self._clarify_times else "not_understood")
            return
        language, texts = progress.language, self.playbooks.texts
        if step is None:
            if progress.clarified > 1:
                self._say(progress, texts.clarify[language], "clarify")
            self._say(progress, texts.which[language], "which")
            return
        if step.clarify is not None:
            self._say(progress, step.clarify[language], step.name)
        else:
            self._say(progress, texts.clarify[language], "clarify")
            self._ask(progress, step)

    def _ask(self, progress: Progress, step: Step) -> None:
        assert step.say is not None
        self._say(progress, _filled(step.say[progress.language], progress.slots), step.name)

    def _after(self, progress: Progress, playbook: Playbook, step: Step, facts: TurnFacts) -> None:
        after = next(each.to for each in step.branches() if holds(each.when, progress, facts))
        self._advance(progress, playbook, after, facts)

    def _advance(self, progress: Progress, playbook: Playbook, name: str, facts: TurnFacts) -> None:
        """Take steps from `name` until one waits for the customer or ends."""
        asked_before: set[str] = set()
        for _ in range(_MAX_STEPS):
            step = playbook.step(name)
            assert step is not None
            progress.step = step.name
            if step.ask is not None:
                slot = playbook.slots[step.ask]
                if slot.sensitive:
                    self._hand_over(progress, "sensitive")
                    return
                # Known already: pass, but only once, or a loop of known slots would never wait.
                if step.ask not in progress.slots or step.name in asked_before:
                    progress.asked = step.ask
                    self._ask(progress, step)
                    return
                asked_before.add(step.name)
            elif step.check is not None:
                progress.check = self._looked_up(step.check, progress)
            elif step.advise is not None:
                if not self._advised(progress, step.advise, facts):
                    return
            else:
                self._tell(progress, playbook, step)
            if step.handoff is not None:
                self._hand_over(progress, step.handoff)
                return
            if step.end is not None:
                progress.outcome = step.end
                return
            name = next(each.to for each in step.branches() if holds(each.when, progress, facts))
        self._hand_over(progress, "too_long")

    def _tell(self, progress: Progress, playbook: Playbook, step: Step) -> None:
        if step.say is not None:
            self._say(progress, _filled(step.say[progress.language], progress.slots), step.name)
        if step.policy is not None:
            policy = playbook.policies[step.policy]
            passage = policy.article or f"{playbook.name}/{step.policy}"
            progress.say.append(Said(text=policy.text[progress.language], step=step.name, passage=passage))

    def _looked_up(self, check: Check, progress: Progress) -> str:
        """Outcome of a check: found, missing or failed."""
        if check.webhook is not None:
            sent = {name: progress.slots[name] for name in check.send if name in progress.slots}
            answer = self._webhooks.ask(check.webhook, progress.conversation, sent)
            if answer is None:
                return "failed"
            progress.slots |= {name: answer[name] for name in check.into if name in answer}
            return "found" if all(name in answer for name in check.into) else "missing"
        if check.knowledge is not None:
            cited = self._answerer.cited(progress.slots.get(check.knowledge, ""), progress.language)
            progress.say += cited
            return "found" if cited else "missing"
        return "found" if check.field in progress.slots else "missing"

    def _advised(self, progress: Progress, slot: str, facts: TurnFacts) -> bool:
        """Advise on products; False if the guide waits for the customer's answer."""
        advised = self._guide.advise(facts.text, progress.language, progress.slots.get(slot, ""))
        progress.say += advised.say
        progress.slots = {**progress.slots, slot: advised.known}
        progress.check = advised.outcome
        progress.asked = slot if advised.outcome is None else None
        return advised.outcome is not None

    def _hand_over(self, progress: Progress, reason: str) -> None:
        progress.handoff, progress.asked = reason, None
        # A step that said so itself needs no second announcement.
        announced = reason == "playbook" and any(each.step == progress.step for each in progress.say)
        if not announced:
            self._say(progress, self.playbooks.texts.handing_over(reason, progress.language), "handoff")

    @staticmethod
    def _say(progress: Progress, text: str, step: str) -> None:
        progress.say.append(Said(text=text, step=step))


def holds(when: When | None, progress: Progress, facts: TurnFacts) -> bool:
    """True if the condition of a playbook's branch holds; None always does."""
    if when is None:
        return True
    value = progress.slots.get(when.slot or "")
    tests = (
        when.missing is None or (value is None) == when.missing,
        when.is_ is None or value in as_list(when.is_),
        when.is_not is None or value not in as_list(when.is_not),
        when.above is None or _number(value) > when.above,
        when.below is None or _number(value) < when.below,
        when.check is None or progress.check == when.check,
        when.intent is None or facts.intent in as_list(when.intent),
        when.sentiment is None or facts.sentiment == when.sentiment,
    )
    return all(tests)


def _number(value: str | None) -> float:
    """A slot's value as a number; text is neither above nor below anything."""
    try:
        return float(value) if value is not None else float("nan")
    except ValueError:
        return float("nan")


def _filled(text: str, slots: dict[str, str]) -> str:
    for name in placeholders(text):
        text = text.replace(f"{{{name}}}", slots.get(name, "…"))
    return text


def _asks(text: str) -> bool:
    return text.rstrip().endswith(_QUESTION)
