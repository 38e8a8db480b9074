"""Suggests next steps to an agent: the allowed ones of the playbook, ranked by its order or by a learned policy."""

from collections.abc import Sequence
from typing import Protocol

from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.matching import Matcher
from triage.assist.playbooks.check import reach, successors
from triage.assist.playbooks.loader import Playbooks
from triage.assist.playbooks.model import Playbook, Step
from triage.schemas.conversation import Conversation, Suggestion

SUGGESTED = 3


class Ranking(Protocol):
    """Ranks steps by agents' choices in similar conversations. Thread-safe. Must not raise."""

    def scores(self, playbook: Playbook, legal: Sequence[str], conversation: Conversation) -> dict[str, float] | None:
        """Return the probability of each step of `legal`, the allowed ones.

        None for a playbook that the policy does not know.
        """
        ...


class NextSteps:
    """Suggests steps for conversations that an agent leads, or will lead."""

    def __init__(self, playbooks: Playbooks, matcher: Matcher, ranking: Ranking | None = None) -> None:
        self._playbooks, self._matcher, self._ranking = playbooks, matcher, ranking

    def suggest(
        self, conversation: Conversation, playbook: Playbook | None, facts: TurnFacts | None
    ) -> list[Suggestion]:
        """Return at most three next steps of `playbook` for the agent, best first.

        Without a playbook they are the first steps, as `playbook/step`, of the playbooks that fit `facts`, the last
        turn's.
        """
        if playbook is None:
            ranked = self._matcher.ranked(facts) if facts is not None else []
            return [
                Suggestion(
                    step=f"{each.name}/{each.steps[0].name}",
                    text=_text(each, each.steps[0], conversation.language),
                    why=f"begins {each.name}, which fits what the customer wrote",
                )
                for each in list(ranked)[:SUGGESTED]
            ]
        legal = legal_steps(playbook, conversation.step, conversation.slots)
        ordered = in_order(playbook, legal, conversation)
        scores = self._ranking.scores(playbook, legal, conversation) if self._ranking is not None else None
        if scores is not None:
            ordered.sort(key=lambda name: -scores.get(name, 0.0))
        found = []
        for name in ordered:
            step = playbook.step(name)
            if step is not None and (text := _text(playbook, step, conversation.language)):
                why = _why(playbook, conversation, name, scores)
                found.append(Suggestion(step=name, text=text, why=why))
        return found[:SUGGESTED]


def legal_steps(playbook: Playbook, last: str | None, slots: dict[str, str]) -> list[str]:
    """Return the names of the steps that the playbook allows after `last`, in its order.

    These are the steps that follow `last` (lookups and questions already answered by `slots` are skipped), `last`
    itself while its question is open, and the steps `anytime`. In a playbook that is not strict every step is allowed.
    """
    if not playbook.strict:
        return [step.name for step in playbook.steps]
    follows = successors(playbook)
    current = playbook.step(last or "")
    if current is None:
        starts = [playbook.steps[0].name]
    else:
        starts = [*([current.name] if _is_open(current, slots) else []), *follows[current.name]]
    passed = {
        step.name: follows[step.name] if step.check or (step.ask and step.ask in slots) else []
        for step in playbook.steps
    }
    found = reach(starts, passed) | {step.name for step in playbook.steps if step.anytime}
    return [step.name for step in playbook.steps if step.name in found]


def in_order(playbook: Playbook, legal: Sequence[str], conversation: Conversation) -> list[str]:
    """Rank the allowed steps `legal` by the playbook: those that follow the last step, then those not taken yet."""
    follows = successors(playbook)
    after = follows.get(conversation.step or "", [playbook.steps[0].name])
    done = set(conversation.steps)
    position = {step.name: number for number, step in enumerate(playbook.steps)}

    def rank(name: str) -> tuple[bool, bool, int]:
        return name not in after, name in done, position[name]

    return sorted(legal, key=rank)


def _is_open(step: Step, slots: dict[str, str]) -> bool:
    return step.ask is not None and step.ask not in slots


def _text(playbook: Playbook, step: Step, language: str) -> str:
    texts = step.say or (playbook.policies[step.policy].text if step.policy else {})
    return texts.get(language) or next(iter(texts.values()), "")


def _why(playbook: Playbook, conversation: Conversation, name: str, scores: dict[str, float] | None) -> str:
    after = name in successors(playbook).get(conversation.step or "", [])
    reason = f"follows {conversation.step} in {playbook.name}" if after else f"a step of {playbook.name}"
    if name == conversation.step:
        reason = "its question is still open"
    if scores is not None and name in scores:
        reason += f"; agents took it in {scores[name]:.0%} of conversations like this"
    return reason
