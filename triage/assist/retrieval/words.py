"""Words of a question and their share in a passage: for the confidence, and to tell questions without words."""

import re
from collections.abc import Collection

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
# Words that say nothing about the subject of a question.
_EMPTY_WORDS = """
    a about after all also am an and any are as at be been but by can could d did do does don for from get go got had
    has have hello hi how i if in into is isn it its just ll m may me my need no not of on one or our out please re s
    she should so some t tell than that the their them then there these they this to too up us ve want was we were
    what when where which who why will with would you your
"""
EMPTY_EN = frozenset(_EMPTY_WORDS.split())
EMPTY_ZH = frozenset(
    "的了吗呢吧啊是我你您他她它们在有和与就也都还不没要会能可以请问怎么什么如何哪里哪个为什么多少这那个一下想"
)


def content_words(text: str) -> set[str]:
    """Words of Latin and other scripts without those that say nothing, and pairs of Chinese characters."""
    lowered = text.lower()
    found: set[str] = set()
    for run in _WORD.findall(lowered):
        for part in _HAN.split(run):
            if part and part not in EMPTY_EN:
                found.add(_stem(part))
        for han in _HAN.findall(run):
            pairs = {han[at : at + 2] for at in range(len(han) - 1)} or {han}
            found |= {pair for pair in pairs if not EMPTY_ZH.issuperset(pair)}
    return found


def without_empty_words(text: str) -> str:
    """The text without English words that say nothing: in short titles they are rare, so BM25 would count them."""
    kept = [word for word in text.split() if word.strip("?!.,;:'\"()").lower() not in EMPTY_EN]
    return " ".join(kept) or text


def share_of(words: Collection[str], text: str) -> float:
    """Share of the words that a text has, 0 to 1; 0 without words."""
    if not words:
        return 0.0
    return len(content_words(text).intersection(words)) / len(words)


def has_words(text: str) -> bool:
    """False for an empty text, and for one of signs and emoji only."""
    return any(character.isalpha() or character.isdigit() for character in text)


def _stem(word: str) -> str:
    """The word without its most frequent English endings: enough to compare a question with a passage."""
    for ending, most in (("ing", 5), ("ies", 4), ("ed", 4), ("es", 5), ("s", 4)):
        if word.endswith(ending) and len(word) >= most and word.isascii():
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word
