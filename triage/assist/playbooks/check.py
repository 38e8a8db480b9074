"""Checks a playbook: names, languages, policies, and that every step can be reached and leads to an end."""

import re
from collections.abc import Collection, Iterator, Mapping

from triage.assist.playbooks.model import HANDOFF_REASONS, Playbook, Slot, Step, Text, When
from triage.errors import did_you_mean
from triage.rules.source import SourceMap

Problem = tuple[int, str]
_MAX_SAY_CHARS = 1_000
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def problems_of(
    playbook: Playbook,
    source: SourceMap,
    intents: Collection[str] | None = None,
    webhooks: Collection[str] | None = None,
) -> list[Problem]:
    """Every problem of a playbook with its line; `intents` and `webhooks` are the known names, None: any."""
    return list(_Checked(playbook, source, intents, webhooks).problems())


def successors(playbook: Playbook) -> dict[str, list[str]]:
    """Names of the steps that can follow each step according to the playbook; unknown ones are left out."""
    known = {step.name for step in playbook.steps}
    return {step.name: [each.to for each in step.branches() if each.to in known] for step in playbook.steps}


class _Checked:
    def __init__(
        self,
        playbook: Playbook,
        source: SourceMap,
        intents: Collection[str] | None,
        webhooks: Collection[str] | None,
    ) -> None:
        self._playbook, self._source = playbook, source
        self._intents, self._webhooks = intents, webhooks

    def problems(self) -> Iterator[Problem]:
        playbook = self._playbook
        if not playbook.steps:
            yield self._source.line(("steps",)), "steps: a playbook needs at least one step"
            return
        if not playbook.languages:
            yield self._source.line(("languages",)), "languages: name at least one, e.g. [en, zh]"
        yield from self._texts(("title",), "title", playbook.title)
        yield from self._triggers()
        for name, slot in playbook.slots.items():
            yield from self._slot(name, slot)
        for name, policy in playbook.policies.items():
            yield from self._texts(("policies", name, "text"), f"policy {name!r}", policy.text)
            yield from self._texts(("policies", name, "title"), f"policy {name!r}: title", policy.title)
        advising = [number for number, step in enumerate(playbook.steps) if step.advise is not None]
        if (playbook.kind == "guide") != (len(advising) == 1):
            line = self._source.line(("steps", advising[-1]) if advising else ("kind",))
            yield line, f"kind: a guide has one step with advise, others none; this {playbook.kind} has {len(advising)}"
        yield from self._repeated()
        for number, step in enumerate(playbook.steps):
            for path, message in self._step(number, step):
                yield self._source.line(path), f"step {step.name!r}: {message}"
        yield from self._order()

    def _texts(self, path: tuple[str | int, ...], name: str, text: Text) -> Iterator[Problem]:
        for language in self._playbook.languages:
            if not text.get(language, "").strip():
                yield (
                    self._source.line(path),
                    f"{name}: has no text in {language!r}; languages are " + ", ".join(self._playbook.languages),
                )

    def _triggers(self) -> Iterator[Problem]:
        for intent in self._playbook.triggers.intents:
            if self._intents is not None and intent not in self._intents:
                message = f"triggers: no such intent: {intent}{did_you_mean(intent, self._intents)}"
                yield self._source.line(("triggers", "intents")), message

    def _slot(self, name: str, slot: Slot) -> Iterator[Problem]:
        path = ("slots", name)
        yield from self._texts((*path, "title"), f"slot {name!r}: title", slot.title)
        if slot.kind == "entity" and not slot.entities:
            yield self._source.line(path), f"slot {name!r}: kind entity needs the labels in `entities`"
        if slot.kind == "choice" and not slot.values:
            yield self._source.line(path), f"slot {name!r}: kind choice needs `values`"
        for value, words in slot.values.items():
            for language in self._playbook.languages:
                if not words.get(language):
                    line = self._source.line((*path, "values", value))
                    yield line, f"slot {name!r}: value {value!r} has no words in {language!r}"

    def _repeated(self) -> Iterator[Problem]:
        seen: dict[str, int] = {}
        for number, step in enumerate(self._playbook.steps):
            line = self._source.line(("steps", number))
            if step.name in seen:
                yield line, f"step {step.name!r}: the name is already used by the step on line {seen[step.name]}"
            seen.setdefault(step.name, line)

    def _step(self, number: int, step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
        path: tuple[str | int, ...] = ("steps", number)
        acts = [name for name in ("ask", "check", "advise", "handoff", "end") if getattr(step, name) is not None]
        if len(acts) > 1:
            yield path, f"has {' and '.join(acts)}; a step does one of them"
        if not acts and step.say is None and step.policy is None:
            yield path, "does nothing: give it say, ask, check, advise, policy, handoff or end"
        if step.ask is not None and step.say is None:
            yield path, "asks without words: give it say"
        if step.check is not None and step.say is not None:
            yield path, "a check is silent: say it in a step of its own"
        yield from self._of_texts(path, step)
        yield from self._of_names(path, step)
        yield from self._of_check(path, step)
        yield from self._of_next(path, step)

    def _of_texts(self, path: tuple[str | int, ...], step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
        for name in ("say", "clarify"):
            text: Mapping[str, str] | None = getattr(step, name)
            if text is None:
                continue
            for language in self._playbook.languages:
                if not text.get(language, "").strip():
                    yield (*path, name), f"{name}: has no text in {language!r}"
            for language, words in text.items():
                if len(words) > _MAX_SAY_CHARS:
                    yield (*path, name, language), f"{name}.{language}: longer than {_MAX_SAY_CHARS} characters"
                for slot in placeholders(words):
                    found = self._playbook.slots.get(slot)
                    if found is None:
                        hint = did_you_mean(slot, self._playbook.slots)
                        yield (*path, name, language), f"{name}.{language}: {{{slot}}} is not a slot{hint}"
                    elif found.kind == "text" or found.sensitive:
                        # What is said is approved: a customer's own words are not.
                        message = (
                            f"{name}.{language}: {{{slot}}} is free text or sensitive, which the bot never repeats"
                        )
                        yield (*path, name, language), message

    def _of_names(self, path: tuple[str | int, ...], step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
        slots, policies = self._playbook.slots, self._playbook.policies
        if step.ask is not None and step.ask not in slots:
            yield (*path, "ask"), f"ask: no such slot: {step.ask}{did_you_mean(step.ask, slots)}"
        if step.advise is not None and (slot := slots.get(step.advise)) is None:
            yield (*path, "advise"), f"advise: no such slot: {step.advise}{did_you_mean(step.advise, slots)}"
        elif step.advise is not None and slot is not None and slot.kind != "text":
            yield (*path, "advise"), f"advise: the slot {step.advise} is of kind {slot.kind}; it must be text"
        if step.policy is not None and step.policy not in policies:
            yield (*path, "policy"), f"policy: no such policy: {step.policy}{did_you_mean(step.policy, policies)}"
        if step.handoff is not None and step.handoff not in HANDOFF_REASONS:
            yield (*path, "handoff"), f"handoff: {step.handoff!r} is not a reason: {', '.join(HANDOFF_REASONS)}"

    def _of_check(self, path: tuple[str | int, ...], step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
        check = step.check
        if check is None:
            return
        where = (*path, "check")
        looked_up = [each for each in (check.field, check.webhook, check.knowledge) if each is not None]
        if len(looked_up) != 1:
            yield where, "check: give one of field, webhook and knowledge"
        named = [each for each in (check.field, check.knowledge) if each is not None]
        for name in [*named, *check.send, *check.into]:
            if name not in self._playbook.slots:
                yield where, f"check: no such slot: {name}{did_you_mean(name, self._playbook.slots)}"
        for name in check.send:
            if name in self._playbook.slots and self._playbook.slots[name].sensitive:
                yield where, f"check: the slot {name} is sensitive, so it is never known here"
        if check.webhook and self._webhooks is not None and check.webhook not in self._webhooks:
            yield where, f"check: conversations.webhooks has no {check.webhook!r}"

    def _of_next(self, path: tuple[str | int, ...], step: Step) -> Iterator[tuple[tuple[str | int, ...], str]]:
        known = [each.name for each in self._playbook.steps]
        branches = step.branches()
        if (step.handoff is not None or step.end is not None) and branches:
            yield (*path, "next"), "next: nothing comes after handoff or end"
        if step.handoff is None and step.end is None and not branches:
            yield path, "has no next step: give it next, handoff or end"
        for number, branch in enumerate(branches):
            where = (*path, "next", number) if isinstance(step.next, list) else (*path, "next")
            if branch.to not in known:
                yield where, f"next: no such step: {branch.to}{did_you_mean(branch.to, known)}"
            last = number == len(branches) - 1
            if last and branch.when is not None:
                yield where, "next: the last branch has a condition, so there may be no way on"
            if not last and branch.when is None:
                yield where, "next: the branches after one without a condition are never taken"
            if branch.when is not None:
                yield from ((where, message) for message in self._condition(branch.when))

    def _condition(self, when: When) -> Iterator[str]:
        slots = self._playbook.slots
        if when.slot is not None and when.slot not in slots:
            yield f"when: no such slot: {when.slot}{did_you_mean(when.slot, slots)}"
        of_slot = (when.is_, when.is_not, when.above, when.below, when.missing)
        if when.slot is None and any(each is not None for each in of_slot):
            yield "when: is, is_not, above, below and missing need a slot"
        if when == When() or (when.slot is not None and all(each is None for each in of_slot)):
            yield "when: has no condition"
        slot = slots.get(when.slot or "")
        for value in [*as_list(when.is_), *as_list(when.is_not)]:
            known = ("yes", "no") if slot is not None and slot.kind == "yes_no" else tuple(slot.values) if slot else ()
            if slot is not None and slot.kind in {"choice", "yes_no"} and value not in known:
                yield f"when: {value!r} is not a value of the slot {when.slot}: {', '.join(known)}"
        for intent in as_list(when.intent):
            if self._intents is not None and intent not in self._intents:
                yield f"when: no such intent: {intent}{did_you_mean(intent, self._intents)}"

    def _order(self) -> Iterator[Problem]:
        """Problems of the graph as a whole: unreachable steps, and loops that never end or never wait."""
        playbook, follows = self._playbook, successors(self._playbook)
        starts = [playbook.steps[0].name, *(step.name for step in playbook.steps if step.anytime)]
        reached = reach(starts, follows)
        final = [step.name for step in playbook.steps if step.handoff is not None or step.end is not None]
        before: dict[str, list[str]] = {name: [] for name in follows}
        for name, after in follows.items():
            for each in after:
                before[each].append(name)
        ending = reach(final, before)
        silent = {step.name: follows[step.name] for step in playbook.steps if step.ask is None and step.advise is None}
        for number, step in enumerate(playbook.steps):
            line = self._source.line(("steps", number))
            if step.name not in reached:
                yield line, f"step {step.name!r}: cannot be reached from {playbook.steps[0].name!r}"
            elif step.name not in ending and step.branches():
                yield line, f"step {step.name!r}: a loop without an exit: no handoff or end can follow"
            elif step.name in silent and step.name in reach(silent[step.name], silent):
                yield line, f"step {step.name!r}: a loop that asks nothing, so it would repeat within one turn"


def placeholders(text: str) -> list[str]:
    """Names of the slots that a text shows, written as `{order_id}`."""
    return _PLACEHOLDER.findall(text)


def reach(starts: Collection[str], follows: Mapping[str, Collection[str]]) -> set[str]:
    """All names that can be reached from `starts`, including these; `follows` maps each name to its successors."""
    found: set[str] = set()
    waiting = list(starts)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += follows.get(name, ())
    return found


def as_list(value: list[str] | str | None) -> list[str]:
    """Return one or several values as a list; None becomes an empty list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else value
