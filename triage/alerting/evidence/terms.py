"""Extracts words from texts, to find those that are more frequent than usual. Pure."""

import re
from collections import Counter
from collections.abc import Iterable

from triage.schemas.alert import Share

_PLACEHOLDER = re.compile(r"\[[A-Z_]+\]")
_HAN = re.compile(r"[\u3400-\u9fff]+")
_PHRASE_CHARS = 8
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]{3,}(?:['’][^\W\d_]+)?")
# Frequent in every text; without them there are fewer candidates to test. "not" is kept: complaints use it.
_FILLERS = """
about after all also and any are because been before but can could did does even for from get got had has have
her here him his how into its just like more most much now off one only other our out over said same see she
some such than that the their them then there these they this those through too two under until very was way
were what when where which while who will with would you your
"""
_STOP = frozenset(_FILLERS.split())


def candidates(texts: Iterable[str], size: int) -> tuple[list[str], int]:
    """The `size` most frequent words by number of texts, and the number of words that occur in at least three texts.

    Words are lower-cased and have three letters or more; Chinese and Japanese text is split into overlapping pairs of
    characters, as in the index.
    """
    frequency: Counter[str] = Counter()
    for text in texts:
        frequency.update(words(text))
    frequent = sorted(((-count, word) for word, count in frequency.items() if count >= 3))
    return [word for _, word in frequent[:size]], len(frequent)


def words(text: str) -> set[str]:
    """Distinct words of one text, without the placeholders of redaction."""
    bare = _PLACEHOLDER.sub(" ", text).lower()
    found = {word for word in _WORD.findall(bare) if word not in _STOP}
    for run in _HAN.findall(bare):
        found.update(run[at : at + 2] for at in range(len(run) - 1))
    return found


def joined(shares: list[Share]) -> list[Share]:
    """Join overlapping pairs of characters of similar counts to words: 洪水 and 水停 become 洪水停."""
    left = list(shares)
    made = []
    while left:
        one = left.pop(0)
        while _HAN.fullmatch(one.value) and len(one.value) < _PHRASE_CHARS:
            other = next((share for share in left if _continues(one, share)), None)
            if other is None:
                break
            left.remove(other)
            first, last = other.value[0], other.value[1]
            value = one.value + last if one.value[-1] == first else first + one.value
            one = Share(value, min(one.count, other.count), one.expected)
        made.append(one)
    return made


def _continues(one: Share, pair: Share) -> bool:
    if len(pair.value) != 2 or not _HAN.fullmatch(pair.value) or abs(one.count - pair.count) > one.count / 10:
        return False
    return one.value[-1] == pair.value[0] or one.value[0] == pair.value[1]
