"""Reads a customer's wishes from a text in English or Chinese as constraints, with negation."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from triage.assist.conversations.wishes import prepared, yes_or_no
from triage.assist.guide.amounts import Amount, AmountFinder
from triage.assist.guide.constraints import Constraint, Op
from triage.assist.guide.folding import ends_clause, folded
from triage.assist.guide.words import BRAND, CATEGORY, NO, PRICE, YES, GuideWords
from triage.rules.phrases import PhraseIndex, occurrences

_NOT_EN = re.compile(
    r"\b(?:not?|no|without|except(?: for)?|excluding|other than|anything but|apart from|instead of|"
    r"(?:do not|don't|dont|doesn't|does not|didn't|wouldn't|can't|cannot|never) ?"
    r"(?:want|like|need|have|care for|be|use)?|"
    r"isn't|aren't|never|avoid|skip|non|nor|neither|hate|dislike|rather not)"
    r"(?:\s+(?:a|an|the|any|one|ones|it|to|be|have|having|want|in|with|from|of|made|is|are|that|which|really|like|by|"
    r"anything|something|for|made of|too))*[\s-]*$"
)
_NOT_ZH = re.compile(
    r"(?:不要|不想要?|不喜欢|不需要|不用|不含|不带|不是|不能是|不买|不考虑|别是?|别要|非|除了|除|没有|无|讨厌|拒绝|避免|不)"
    r"(?:有|用|是|要|买|给我|推荐|带|任何|那种|太|的|做|成)*$"
)
_NOT_AFTER = re.compile(
    r"\s*(?:色|的|款|材质|品牌|牌子|类)*(?:都|也)?(?:不要|除外|不行|不考虑|就算了|不喜欢)"
    r"|\s+(?:is|are)(?: out|n't for me| not for me| not ok)\b"
)
_WHY_NOT = re.compile(
    r"\b(?:why|if|whether or) not\b[^,.;]*$|\bnot only\b[^,.;]*$|要不要[^，。]*$|有没有[^，。]*$|是不是[^，。]*$"
)
_TOGETHER = re.compile(r"\s*(?:\b(?:or|nor|and)\b|/|、|或者?|和|跟)\s*(?:an?|any|the|in)?\s*")
_OPEN = re.compile(
    r"\b(?:any|either|whatever|no preference|don't (?:mind|care)|do not (?:mind|care)|doesn't matter|does not matter|"
    r"no matter|not important|up to you|not sure|don't know|no idea)\b|"
    r"随便|都可以|都行|无所谓|不限|没要求|没有要求|不确定|不知道|看着办"
)
_CHEAPEST = re.compile(r"\b(?:cheapest|least expensive|lowest[- ]price[sd]?)\b|最便宜|最低价|价格最低")


@dataclass
class Understood:
    """The wishes of a text. `open`: the question asked before is not answered; `cheapest`: cheap items come first."""

    constraints: list[Constraint] = field(default_factory=list)
    open: bool = False
    cheapest: bool = False


@dataclass(frozen=True)
class _Mention:
    start: int
    end: int
    name: str
    value: str


class Understanding:
    """Reads wishes by the words of guide.yaml, the brands of the catalogue and their other names. Thread-safe."""

    def __init__(self, words: GuideWords, brands: Mapping[str, Iterable[str]]) -> None:
        self._words = words
        self._index = PhraseIndex()
        self._meanings: dict[int, list[tuple[str, str, str]]] = {}
        for phrase, name, value in self._phrases(brands):
            for number in self._index.add([phrase]):
                self._meanings.setdefault(number, []).append((phrase, name, value))
        # A bare "top" is an answer to the question for the category, and part of "top quality" elsewhere.
        self._titles = PhraseIndex()
        self._titled = [
            (value, self._titles.add(category.title.values())) for value, category in words.categories.items()
        ]
        units = {
            unit: (name, factor)
            for name, attribute in words.attributes.items()
            for unit, factor in attribute.units.items()
        }
        self._amounts = AmountFinder(units)

    def read(self, text: str, language: str, asked: str | None = None) -> Understood:
        """The wishes of a text.

        `asked` is the attribute that the guide asked for just before, so that a bare answer counts.
        """
        line = folded(text)
        found = Understood(cheapest=_CHEAPEST.search(line) is not None)
        amounts = list(self._amounts.find(line))
        for amount in amounts:
            found.constraints += self._of_amount(amount, text, language, asked)
        taken = [(each.start, each.end) for each in amounts if each.unit is not None or each.bounded]
        mentions = [each for each in self._mentions(text) if not _within(each, taken)]
        found.constraints += self._of_mentions(mentions, text, line)
        if asked is not None and not any(each.name == asked for each in found.constraints):
            found.constraints += self._answered(text, asked)
            found.open = _OPEN.search(line) is not None and not any(each.name == asked for each in found.constraints)
        return found

    def _phrases(self, brands: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, str, str]]:
        """(phrase, name, value) of everything that a text may mention."""
        words = self._words
        for value, category in words.categories.items():
            for some in category.words.values():
                yield from ((phrase, CATEGORY, value) for phrase in some)
        for brand, names in brands.items():
            yield from ((name, BRAND, brand) for name in {brand, *names})
        for name, attribute in words.attributes.items():
            for value, by_language in attribute.values.items():
                for some in by_language.values():
                    yield from ((phrase, name, value) for phrase in some)
            for value, by_language in ((YES, attribute.words), (NO, attribute.opposite)):
                for some in by_language.values():
                    yield from ((phrase, name, value) for phrase in some)

    def _mentions(self, text: str) -> list[_Mention]:
        """The values that a text mentions, in order; of overlapping ones the longest."""
        found = [
            _Mention(start, end, name, value)
            for number in self._index.find(text)
            for phrase, name, value in self._meanings.get(number, ())
            for start, end in occurrences(phrase, text)
        ]
        kept: list[_Mention] = []
        for each in sorted(found, key=lambda mention: (mention.start - mention.end, mention.start)):
            # Two meanings of the same words may both count: "leather" of a bag, "leather" of a strap.
            if all(
                each.end <= other.start or each.start >= other.end or (each.start, each.end) == (other.start, other.end)
                for other in kept
            ):
                kept.append(each)
        return sorted(kept, key=lambda mention: mention.start)

    def _of_mentions(self, mentions: list[_Mention], text: str, line: str) -> Iterator[Constraint]:
        wanted: dict[tuple[str, Op], list[_Mention]] = {}
        before: tuple[_Mention, bool] | None = None
        for each in mentions:
            negated = _negated(each, line)
            if not negated and before is not None and before[1] and before[0].end <= each.start:
                negated = _TOGETHER.fullmatch(line[before[0].end : each.start]) is not None
            before = each, negated
            wanted.setdefault((each.name, "is_not" if negated else "is"), []).append(each)
        for (name, op), some in wanted.items():
            values = list(dict.fromkeys(each.value for each in some))
            if op == "is" and (refused := wanted.get((name, "is_not"))):
                values = [value for value in values if value not in {each.value for each in refused}]
            said = " … ".join(dict.fromkeys(text[each.start : each.end] for each in some))
            if values:
                yield Constraint(name=name, op=op, values=values, text=said)

    def _of_amount(self, amount: Amount, text: str, language: str, asked: str | None) -> Iterator[Constraint]:
        unit, name = amount.unit, amount.unit
        if unit is None:
            if not amount.priced and not amount.bounded and asked not in self._numbers:
                return
            name = asked if asked in self._numbers and not amount.priced else PRICE
        elif unit not in self._words.attributes:
            name = PRICE
        assert name is not None
        low, high = amount.low, amount.high
        if name == PRICE:
            unit = unit or self._words.currency[language]
            if asked == PRICE and not amount.bounded and low is not None and high is not None:
                middle = (low + high) / 2
                low, high = None, middle  # a bare answer to "how much would you spend" is a limit
        else:
            unit = ""
        said = text[amount.start : amount.end].strip()
        if low is not None:
            yield Constraint(name=name, op="at_least", number=round(low, 6), unit=unit, text=said)
        if high is not None:
            yield Constraint(name=name, op="at_most", number=round(high, 6), unit=unit, text=said)

    @property
    def _numbers(self) -> set[str]:
        return {PRICE, *(name for name, each in self._words.attributes.items() if each.kind == "number")}

    def _answered(self, text: str, asked: str) -> Iterator[Constraint]:
        """A bare yes or no to the question for an attribute of that kind, or the title of a category."""
        if asked == CATEGORY:
            found = self._titles.find(text)
            if values := [value for value, numbers in self._titled if numbers & found]:
                yield Constraint(name=CATEGORY, op="is", values=values, text=text[:200])
        attribute = self._words.attributes.get(asked)
        if attribute is None or attribute.kind != "yes_no":
            return
        answer = yes_or_no(prepared(text))
        if answer is not None:
            yield Constraint(name=asked, op="is" if answer == YES else "is_not", values=[YES], text=text[:200])


def _negated(mention: _Mention, line: str) -> bool:
    left = line[: mention.start]
    clause = left[ends_clause(left) :]
    if _WHY_NOT.search(clause):
        return False
    return (
        _NOT_EN.search(clause) is not None
        or _NOT_ZH.search(clause) is not None
        or _NOT_AFTER.match(line[mention.end :]) is not None
    )


def _within(mention: _Mention, taken: Iterable[tuple[int, int]]) -> bool:
    return any(start <= mention.start and mention.end <= end for start, end in taken)
