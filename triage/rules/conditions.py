"""Compiles the conditions of a rule into one function."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

from triage.rules.facts import Facts
from triage.rules.model import When
from triage.rules.phrases import PhraseIndex, occurrences
from triage.rules.regexes import compiled as compiled_regex
from triage.rules.statements import states


@dataclass(slots=True)
class Case:
    """A record to test: its facts, and the numbers (of the PhraseIndex) of the phrases and literals in its text."""

    facts: Facts
    phrases: set[int]


Test = Callable[[Case], bool]


def compiled(when: When | None, phrases: PhraseIndex) -> Test:
    """Compile conditions into one function that tests a `Case`, fast conditions first; None always holds.

    The phrases of the conditions are added to `phrases`.
    """
    if when is None:
        return _always
    tests = [*_field_tests(when), *_thresholds(when), *_text_tests(when, phrases)]
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda case: first(case) and second(case)
    return _all_of(tests)


def _all_of(tests: Sequence[Test]) -> Test:
    # Loops, here and below: `all` and `any` over a generator cost more than the conditions themselves.
    def test(case: Case) -> bool:
        for each in tests:  # noqa: SIM110
            if not each(case):
                return False
        return True

    return test


def _any_of(tests: Sequence[Test]) -> Test:
    def test(case: Case) -> bool:
        for each in tests:  # noqa: SIM110
            if each(case):
                return True
        return False

    return test


def _always(case: Case) -> bool:
    del case
    return True


def _field_tests(when: When) -> Iterator[Test]:
    for name, compare in _COMPARISONS:
        values = getattr(when, name)
        if values is not None:
            yield compare(name, values)


def _is_one_of(name: str, values: list[str]) -> Test:
    known, of = frozenset(values), attrgetter(f"facts.{name}")
    return lambda case: of(case) in known


def _has_one_of(name: str, values: list[str]) -> Test:
    known, of = frozenset(values), attrgetter(f"facts.{name}")
    return lambda case: not known.isdisjoint(of(case))


def _is_caselessly(name: str, values: list[str]) -> Test:
    known, of = frozenset(value.casefold() for value in values), attrgetter(f"facts.{name}")
    return lambda case: (of(case) or "").casefold() in known


_COMPARISONS: tuple[tuple[str, Callable[[str, list[str]], Test]], ...] = (
    ("channel", _is_one_of),
    ("intent", _is_one_of),
    ("sentiment", _is_one_of),
    ("language", _is_caselessly),
    ("flags", _has_one_of),
    ("entities", _has_one_of),
    ("risks", _has_one_of),
    ("brand", _is_caselessly),
    ("product", _is_caselessly),
    ("region", _is_caselessly),
    ("source", _is_caselessly),
)


def _thresholds(when: When) -> Iterator[Test]:
    for limit, holds in (
        (when.sentiment_below, lambda facts, limit: facts.sentiment_score < limit),
        (when.sentiment_above, lambda facts, limit: facts.sentiment_score > limit),
        (when.intent_confidence_at_least, lambda facts, limit: facts.intent_confidence >= limit),
        (when.intent_confidence_below, lambda facts, limit: facts.intent_confidence < limit),
        (when.risk_score_at_least, _has_risk),
        (when.rating_at_most, lambda facts, limit: facts.rating is not None and facts.rating <= limit),
        (when.rating_at_least, lambda facts, limit: facts.rating is not None and facts.rating >= limit),
    ):
        if limit is not None:
            yield _threshold(limit, holds)


def _has_risk(facts: Facts, limits: Mapping[str, float]) -> bool:
    return any(facts.risk_scores.get(name, -1.0) >= limit for name, limit in limits.items())


def _threshold(limit: Any, holds: Callable[[Any, Any], bool]) -> Test:
    return lambda case: holds(case.facts, limit)


def _says(wanted: list[str], phrases: PhraseIndex) -> Test:
    """A test that the text states one of the phrases; only those that the index found are looked for."""
    by_number = {number: phrase for phrase in wanted for number in phrases.add([phrase])}

    def test(case: Case) -> bool:
        found = case.phrases.intersection(by_number)
        if not found:
            return False
        text = case.facts.text
        return any(states(text, *place) for number in found for place in occurrences(by_number[number], text))

    return test


def _text_tests(when: When, phrases: PhraseIndex) -> Iterator[Test]:
    if when.text_any:
        yield _any_said(when.text_any, phrases)
    if when.text_says:
        yield _says(when.text_says, phrases)
    if when.not_:
        inner = compiled(when.not_, phrases)
        yield lambda case: not inner(case)
    for part in when.all_of or ():
        yield compiled(part, phrases)
    if when.any_of:
        yield _any_of([compiled(part, phrases) for part in when.any_of])
    if when.text_regex:
        yield _any_of([_regex_test(pattern, phrases) for pattern in when.text_regex])


def _any_said(wanted: list[str], phrases: PhraseIndex) -> Test:
    numbers = phrases.add(wanted)
    return lambda case: not numbers.isdisjoint(case.phrases)


def _regex_test(pattern: str, phrases: PhraseIndex) -> Test:
    regex = compiled_regex(pattern)
    if regex.literals is None:
        return lambda case: regex.search(case.facts.text) is not None
    numbers = phrases.add_literals(regex.literals)
    return lambda case: not numbers.isdisjoint(case.phrases) and regex.search(case.facts.text) is not None


def needs_phrase(when: When | None) -> bool:
    """True if the conditions can only hold for a text in which the PhraseIndex of the rules found something."""
    if when is None:
        return False
    if when.text_any or when.text_says or any(needs_phrase(part) for part in when.all_of or ()):
        return True
    if when.any_of and all(needs_phrase(part) for part in when.any_of):
        return True
    return bool(when.text_regex) and all(compiled_regex(each).literals is not None for each in when.text_regex or ())


class TextTest(NamedTuple):
    """A condition on the text. It can hold only if one of the phrases with these `numbers` was found; None: always."""

    numbers: frozenset[int] | None
    holds: Test


class Inputs(NamedTuple):
    """All that conditions depend on: two records that agree in all of it meet the same conditions.

    `fields` are the names of facts that are compared with values, `thresholds` the comparisons with numbers.
    """

    fields: frozenset[str]
    thresholds: list[Test]
    text: list[TextTest]


def inputs_of(conditions: Iterable[When], phrases: PhraseIndex) -> Inputs:
    """Return all that the conditions depend on; the phrases that they look for in the text are added to `phrases`."""
    parts = [part for when in conditions for part in _parts(when)]
    # Rules repeat lists of phrases: each is one test.
    any_said = {tuple(part.text_any): part.text_any for part in parts if part.text_any}
    says = {tuple(part.text_says): part.text_says for part in parts if part.text_says}
    patterns = dict.fromkeys(pattern for part in parts for pattern in part.text_regex or ())
    literals = {pattern: compiled_regex(pattern).literals for pattern in patterns}
    return Inputs(
        frozenset(name for part in parts for name, _ in _COMPARISONS if getattr(part, name) is not None),
        [test for part in parts for test in _thresholds(part)],
        [
            *(TextTest(phrases.add(wanted), _any_said(wanted, phrases)) for wanted in any_said.values()),
            *(TextTest(phrases.add(wanted), _says(wanted, phrases)) for wanted in says.values()),
            *(
                TextTest(None if found is None else phrases.add_literals(found), _regex_test(pattern, phrases))
                for pattern, found in literals.items()
            ),
        ],
    )


def _parts(when: When) -> Iterator[When]:
    yield when
    for part in (*(when.any_of or ()), *(when.all_of or ()), *([when.not_] if when.not_ else ())):
        yield from _parts(part)
