"""Chooses the question whose answer splits the candidates best, by its expected information in bits."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from triage.assist.guide.constraints import Constraint, number_of, values_of
from triage.assist.guide.words import CATEGORY, PRICE, GuideWords
from triage.schemas.catalogue import CatalogueItem

FEWEST_BITS = 0.5
"""A question that tells less is not worth a turn of the customer."""
_RANGES = 3
_MOST_OPTIONS = 6


@dataclass(frozen=True)
class Option:
    """A possible answer to a question, and the number of items that have it.

    `value` is a value; for numbers it is None, and the option is the range from `low` (exclusive) to `high`.
    """

    items: int
    value: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Split:
    """A question for `name` (an attribute, the price or the category), with its frequent answers.

    `bits` is the expected information of its answer.
    """

    name: str
    bits: float
    options: Sequence[Option]


def best_split(
    items: Sequence[CatalogueItem],
    constraints: Iterable[Constraint],
    words: GuideWords,
    currency: str,
    asked: Collection[str] = (),
) -> Split | None:
    """The question that tells most about which of `items` is wanted; None if none tells enough.

    Left out are attributes that were `asked` for or that a constraint fixes. `currency` is that of the price.
    """
    known = {each.name for each in constraints if each.op != "is_not"} | set(asked)
    names = [CATEGORY, PRICE, *words.attributes]
    splits = [split(items, name, words, currency) for name in names if name not in known]
    # Of equally good questions the first one of guide.yaml, so that the order never depends on chance.
    best = max((each for each in splits if each is not None), key=lambda each: round(each.bits, 9), default=None)
    return best if best is not None and best.bits >= FEWEST_BITS else None


def split(items: Sequence[CatalogueItem], name: str, words: GuideWords, currency: str) -> Split | None:
    """The question for `name`, an attribute, the price or the category, over `items`.

    None if the guide has no such question.
    """
    if words.question(name, "en") is None or not items:
        return None
    attribute = words.attributes.get(name)
    if name == PRICE or (attribute is not None and attribute.kind == "number"):
        return _by_number(items, name, currency if name == PRICE else "")
    return _by_value(items, name)


def _by_value(items: Sequence[CatalogueItem], name: str) -> Split | None:
    """An item with several values goes with each of them in equal parts; one without any tells nothing."""
    weights: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for item in items:
        values = sorted(values_of(item, name))
        for value in values:
            weights[value] += 1 / len(values)  # type: ignore[assignment]
            counts[value] += 1
    if len(weights) < 2:
        return None
    options = [
        Option(counts[value], value) for value, _ in sorted(weights.items(), key=lambda each: (-each[1], each[0]))
    ]
    return Split(
        name, _bits([(weights[value], counts[value]) for value in weights], len(items)), options[:_MOST_OPTIONS]
    )


def _by_number(items: Sequence[CatalogueItem], name: str, unit: str) -> Split | None:
    numbers = sorted(number for item in items if (number := number_of(item, name, unit)) is not None)
    if len(set(numbers)) < 2:
        return None
    cuts = sorted(
        {numbers[len(numbers) * part // _RANGES - 1] for part in range(1, _RANGES) if len(numbers) >= _RANGES}
    )
    cuts = [cut for cut in cuts if cut < numbers[-1]] or [numbers[(len(numbers) - 1) // 2]]
    bounds = [None, *cuts, None]
    options = [
        Option(
            sum((low is None or number > low) and (high is None or number <= high) for number in numbers),
            None,
            low,
            high,
        )
        for low, high in pairwise(bounds)
    ]
    options = [each for each in options if each.items]
    if len(options) < 2:
        return None
    return Split(name, _bits([(each.items, each.items) for each in options], len(items)), options)


def _bits(answers: Iterable[tuple[float, int]], items: int) -> float:
    """Expected information in bits of answers, each (weight of those who give it, items that it leaves).

    What several answers leave, as a shirt in three colours, counts for each: the plain entropy of the answers would be
    too high. Items without an answer tell nothing.
    """
    return sum(weight / items * math.log2(items / left) for weight, left in answers if weight > 0)
