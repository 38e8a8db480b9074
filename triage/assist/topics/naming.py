"""Names a group of texts by the words that tell it from the others: words of English, runs of Chinese characters."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from triage.assist.retrieval.words import EMPTY_EN, EMPTY_ZH

_WORD = re.compile(r"[a-z][a-z'-]{2,}")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")
_LONGEST = 4
_LEAST_SHARE = 0.15
_WORDS = 4


def words_of(texts: Sequence[str], others: Sequence[str]) -> list[str]:
    """At most four words that a share of `texts` has and `others` seldom have, the most telling first."""
    inside, outside = _counted(texts), _counted(others)
    least = max(2, _LEAST_SHARE * len(texts))
    scored = {
        word: (count / len(texts)) * _log_odds(count, len(texts), outside[word], len(others))
        for word, count in inside.items()
        if count >= least
    }
    chosen: list[str] = []
    for word, score in sorted(scored.items(), key=lambda each: (-each[1], -len(each[0]), each[0])):
        if score <= 0 or len(chosen) == _WORDS:
            break
        if not any(_same(word, other) for other in chosen):
            chosen.append(_longest(word, inside))
    return chosen


def _counted(texts: Sequence[str]) -> Counter[str]:
    """Number of texts that have each word."""
    found: Counter[str] = Counter()
    for text in texts:
        lowered = text.lower()
        words = {word for word in _WORD.findall(lowered) if word not in EMPTY_EN}
        for run in _HAN.findall(lowered):
            for length in range(2, _LONGEST + 1):
                for at in range(len(run) - length + 1):
                    part = run[at : at + length]
                    if not EMPTY_ZH.intersection((part[0], part[-1])):
                        words.add(part)
        found.update(words)
    return found


def _log_odds(count: int, total: int, other: int, others: int) -> float:
    inside, outside = (count + 0.5) / (total - count + 0.5), (other + 0.5) / (others - other + 0.5)
    return math.log(inside / outside)


def _longest(word: str, counts: Counter[str]) -> str:
    """The longest run of Chinese characters around a word that nearly as many texts have."""
    if not _HAN.fullmatch(word):
        return word
    wider = [each for each in counts if word in each and counts[each] >= 0.8 * counts[word] and _HAN.fullmatch(each)]
    return max(wider, key=lambda each: (len(each), counts[each]), default=word)


def _same(word: str, other: str) -> bool:
    """True for words of which one is a part of the other, and for runs of Chinese characters that overlap."""
    if word in other or other in word or word.rstrip("s") == other.rstrip("s"):
        return True
    return bool(_HAN.fullmatch(word)) and any(word[at : at + 2] in other for at in range(len(word) - 1))
