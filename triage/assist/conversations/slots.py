"""Reads the values of slots from a turn: from entities, words and numbers."""

import re
from functools import lru_cache

from triage.assist.conversations.facts import TurnFacts
from triage.assist.conversations.wishes import is_farewell, prepared, yes_or_no
from triage.assist.playbooks.model import Playbook, Slot
from triage.rules.phrases import PhraseIndex

MAX_VALUE_CHARS = 200
_NUMBER_LABELS = frozenset({"order_id", "tracking_id"})
# What a customer sends when asked for a number: letters and digits, four digits or more, but no placeholder.
_LIKE_A_NUMBER = re.compile(r"(?<![\w\[-])(?=[A-Za-z0-9-]*(?:\d-?){4})[A-Za-z0-9][A-Za-z0-9-]{3,39}(?![\w\]-])")
# Without being asked: five digits or more that are no amount, and the only ones of the text.
_LONG_NUMBER = re.compile(
    r"(?<![A-Za-z0-9_.,:/¥$€£￥+-])\d{5,20}(?![A-Za-z0-9_%:/-]|[.,]\d|\s?(?:元|块|圆|刀|欧|英镑|dollars?\b|usd\b|cny\b|rmb\b|eur\b|euros?\b|gbp\b|pounds?\b))",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?<![\w.])[¥$€£]?\s?(\d{1,9}(?:[,，]\d{3})*(?:\.\d{1,4})?)(?![\d-])")
_WORDS = {
    "zero": 0, "none": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "a week": 7, "two weeks": 14, "a day": 1,
    "a couple": 2, "a month": 30,
}  # fmt: skip
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b")
_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_NUMBER = re.compile("[零一二三四五六七八九两十]{1,3}")


def read_slot(slot: Slot, facts: TurnFacts, *, asked: bool) -> str | None:
    """Return the value of a slot in a turn, at most 200 characters; None if the turn does not contain it.

    A yes or no, a bare number and free text are used only if the slot was `asked` for. Of an order or tracking number,
    any four digits do if it was asked for, else five that stand alone and are no amount.
    """
    match slot.kind:
        case "entity":
            value = _entity(slot, facts, asked=asked)
        case "choice":
            value = _choice(slot, facts.text)
        case "yes_no":
            value = yes_or_no(prepared(facts.text)) if asked else None
        case "number":
            value = _number(facts.text) if asked else None
        case "text":
            value = _text(facts.text) if asked else None
    return value[:MAX_VALUE_CHARS] if value else None


def fill_slots(playbook: Playbook, slots: dict[str, str], facts: TurnFacts, asked: str | None) -> dict[str, str]:
    """Return `slots` plus the values that a turn fills in: that of the slot `asked` for, and others that it mentions.

    Values of sensitive slots are never read; a value is replaced only if its slot was asked for.
    """
    found = dict(slots)
    for name, slot in playbook.slots.items():
        if slot.sensitive or (name in found and name != asked):
            continue
        value = read_slot(slot, facts, asked=name == asked)
        if value is not None:
            found[name] = value
    return found


def _entity(slot: Slot, facts: TurnFacts, *, asked: bool) -> str | None:
    for label, text in facts.entities:
        # A placeholder of the redactor says that something was there, but not what.
        if label in slot.entities and not text.startswith("["):
            return text.strip().lstrip("#")
    if _NUMBER_LABELS.isdisjoint(slot.entities):
        return None
    if asked:
        found = _LIKE_A_NUMBER.search(facts.text)
        return found[0] if found else None
    numbers = _LONG_NUMBER.findall(facts.text)
    return str(numbers[0]) if len(numbers) == 1 else None


def _choice(slot: Slot, text: str) -> str | None:
    index, values = _index(_frozen(slot))
    found = index.find(text)
    return next((value for value, numbers in values if not numbers.isdisjoint(found)), None)


_Words = tuple[tuple[str, tuple[str, ...]], ...]


def _frozen(slot: Slot) -> _Words:
    return tuple(
        (value, tuple(word for each in words.values() for word in each)) for value, words in slot.values.items()
    )


@lru_cache(512)
def _index(words: _Words) -> tuple[PhraseIndex, list[tuple[str, frozenset[int]]]]:
    index = PhraseIndex()
    return index, [(value, index.add(each)) for value, each in words]


def _number(text: str) -> str | None:
    text = prepared(text)
    if found := _DIGITS.search(text):
        return f"{float(found[1].replace(',', '').replace('，', '')):g}"
    if word := _NUMBER_WORD.search(text):
        return str(_WORDS[word[0]])
    if han := _HAN_NUMBER.search(text):
        return str(_han(han[0]))
    return None


def _han(text: str) -> int:
    tens, has_ten, ones = text.rpartition("十")
    if not has_ten:
        return int("".join(str(_HAN_DIGITS[char]) for char in text))
    return _HAN_DIGITS.get(tens[:1], 1) * 10 + (_HAN_DIGITS.get(ones[:1], 0) if ones else 0)


def _text(text: str) -> str | None:
    return text.strip() if re.search(r"\w", text) and not is_farewell(prepared(text)) else None
