"""Finds the playbook for a customer's message: by its phrases, else by the predicted intent."""

from collections.abc import Collection

from triage.assist.conversations.facts import TurnFacts
from triage.assist.playbooks.loader import Playbooks
from triage.assist.playbooks.model import Playbook
from triage.rules.phrases import PhraseIndex

_SURE_ENOUGH = 0.5
# A clear intent outweighs a single phrase that also occurs in other matters, e.g. "delivery".
_CLEAR = 0.8


class Matcher:
    """Finds the playbooks of one folder that fit a customer's turn. Thread-safe."""

    def __init__(self, playbooks: Playbooks) -> None:
        self._playbooks = list(playbooks.by_name.values())
        self._phrases = PhraseIndex()
        self._numbers = [
            (each, self._phrases.add(phrase for words in each.triggers.phrases.values() for phrase in words))
            for each in self._playbooks
        ]

    def match(self, facts: TurnFacts, *, by_phrase: bool = False) -> Playbook | None:
        """Return the playbook that the turn `facts` starts; None if none fits.

        With `by_phrase` the intent is ignored.
        """
        found = self._phrases.find(facts.text)
        scores = {each.name: len(numbers & found) * 1.0 for each, numbers in self._numbers}
        if not by_phrase and facts.intent_confidence >= _SURE_ENOUGH:
            weight = 1.5 if facts.intent_confidence >= _CLEAR else 0.5
            for each in self._playbooks:
                if facts.intent in each.triggers.intents:
                    scores[each.name] += weight
        best = max(self._playbooks, key=lambda each: scores[each.name])
        return best if scores[best.name] > 0 else None

    def ranked(self, facts: TurnFacts) -> Collection[Playbook]:
        """Return the playbooks that may fit the turn `facts`, best first, for suggestions to an agent."""
        found = self._phrases.find(facts.text)

        def score(each: tuple[Playbook, frozenset[int]]) -> float:
            playbook, numbers = each
            return len(numbers & found) + facts.intent_confidence * (facts.intent in playbook.triggers.intents)

        scored = sorted(((score(each), each[0]) for each in self._numbers), key=lambda pair: -pair[0])
        return [playbook for value, playbook in scored if value > 0]
