"""Remembers decisions by all that they depend on: most records agree in it with an earlier one."""

from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Generic, TypeVar

from triage.rules.conditions import Case, inputs_of
from triage.rules.facts import Facts
from triage.rules.model import When
from triage.rules.phrases import PhraseIndex

_Decision = TypeVar("_Decision")
_MAX_REMEMBERED = 4_096
_SETS = {"flags", "entities", "risks"}


class RememberedDecisions(Generic[_Decision]):
    """The decisions about earlier records, for the conditions of one rules file. Thread-safe.

    The key of a decision has the facts that conditions compare, the outcome of each comparison with a number, and the
    conditions on the text that hold: only those are tested for which the PhraseIndex found something.
    """

    def __init__(self, conditions: Iterable[When], phrases: PhraseIndex) -> None:
        fields, thresholds, text = inputs_of(conditions, phrases)
        self._scalars = _getter(fields - _SETS)
        self._sets = [attrgetter(name) for name in sorted(fields & _SETS)]
        self._thresholds = thresholds
        self._text = [test.holds for test in text]
        self._always = [index for index, test in enumerate(text) if test.numbers is None]
        self._of_phrase: dict[int, list[int]] = {}
        for index, test in enumerate(text):
            for number in test.numbers or ():
                self._of_phrase.setdefault(number, []).append(index)
        self._remembered: dict[Hashable, _Decision] = {}

    def get(self, case: Case, decide: Callable[[Case], _Decision]) -> _Decision:
        """Return the decision about the record `case`: that of an earlier record that is alike, else `decide(case)`."""
        facts = case.facts
        key = (
            self._scalars(facts),
            tuple([frozenset(of(facts)) for of in self._sets]),
            tuple([holds(case) for holds in self._thresholds]),
            self._met(case) if case.phrases or self._always else (),
        )
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= _MAX_REMEMBERED:
                # Facts of many values, as products: the frequent ones are soon remembered again.
                self._remembered.clear()
            found = self._remembered[key] = decide(case)
        return found

    def _met(self, case: Case) -> tuple[int, ...]:
        """Return the conditions on the text that hold."""
        possible = set(self._always)
        for number in case.phrases:
            possible.update(self._of_phrase.get(number, ()))
        return tuple(sorted([index for index in possible if self._text[index](case)]))


def _getter(names: Iterable[str]) -> Callable[[Facts], Hashable]:
    listed = sorted(names)
    return attrgetter(*listed) if listed else lambda _: ()
