"""Recognizes messages written by a program: absence notes, receipts, bounces, notices, one-time codes."""

import re

from triage.han import simplified
from triage.keywords import Keywords
from triage.literals import required_literals
from triage.patterns import any_of, load_patterns

_PATTERNS = load_patterns("triage.body.patterns", "automatic")
_BEGINNING = re.compile(any_of(_PATTERNS["beginnings"]), re.IGNORECASE)
_OPENING = re.compile(f"{any_of(_PATTERNS['openings'])}*", re.IGNORECASE)
_REQUEST = re.compile(any_of(_PATTERNS["requests"]), re.IGNORECASE)
# What an absence note asks of others: `In urgent cases please call my colleague`.
_URGENT = re.compile(any_of(_PATTERNS["urgent"]), re.IGNORECASE)
# A text message that begins with its sender, 【...】, and speaks to a customer.
_SENDER = re.compile(simplified(any_of(_PATTERNS["senders"])))
_LONGEST = 2_000

# Letters of a word by which sentences are found.
_LETTERS = 4
_WORD_START = re.compile(rf"\b\w{{1,{_LETTERS}}}")
_FIRST_CJK = "\u2e80"


def _by_word(groups: dict[str, list[str]]) -> dict[str, tuple[re.Pattern[str], ...]]:
    """Index of patterns for sentences by a word they need: the start of a word, or a Chinese or Japanese word.

    Most texts contain few of these words, so few patterns are searched.
    """
    found: dict[str, tuple[re.Pattern[str], ...]] = {}
    for words, sentences in groups.items():
        for word in words.split("|"):
            needed = word if word >= _FIRST_CJK else word[:_LETTERS]
            patterns = tuple(
                # Without IGNORECASE, which is slower: they search the text in lower case.
                re.compile(simplified(sentence))
                for sentence in sentences
                # A number stands in the sentence as \d, `email` as e-?mail.
                if needed.isdigit() or simplified(needed) in simplified(sentence + sentence.replace("-?", ""))
            )
            found[needed] = found.get(needed, ()) + patterns
    return found


_SENTENCES = _by_word(load_patterns("triage.body.patterns", "automatic_sentences"))
_STARTS = frozenset(word for word in _SENTENCES if word < _FIRST_CJK)
_CJK: dict[str, list[str]] = {}
for _word in sorted(_SENTENCES.keys() - _STARTS):
    _CJK.setdefault(_word[0], []).append(_word)
_CJK_FIRST = frozenset(_CJK)


class _Suspicion:
    """Tells in one pass over a text if it can hold any of the sentences: it has a word and a part of one."""

    def __init__(self) -> None:
        # Folded, as the text is; a sentence without certain parts is suspected by its word alone.
        parts = {
            sentence: required_literals(sentence.pattern) for sentences in _SENTENCES.values() for sentence in sentences
        }
        words = {simplified(word): sentences for word, sentences in _SENTENCES.items()}
        keywords = sorted({*words, *(part for found in parts.values() for part in found or ())})
        number = {keyword: at for at, keyword in enumerate(keywords)}
        self._keywords = Keywords(keywords)
        self._parts = {
            number[word]: [frozenset(number[part] for part in parts[each] or (word,)) for each in sentences]
            for word, sentences in words.items()
        }

    def holds(self, folded: str) -> bool:
        found = self._keywords.find(folded)
        for keyword in found:
            for parts in self._parts.get(keyword, ()):
                if not parts.isdisjoint(found):
                    return True
        return False


_SUSPICION = _Suspicion()


def is_automatic(text: str) -> bool:
    """True if a program wrote the text or it is an absence note; False if the text makes a request.

    Texts of more than 2,000 characters are never automatic.
    """
    if len(text) > _LONGEST:
        return False
    opening = _OPENING.match(text)
    if _BEGINNING.match(text, opening.end() if opening else 0) is None and not _holds_sentence(text):
        return False
    return _REQUEST.search(_URGENT.sub(" ", text)) is None


def _holds_sentence(text: str) -> bool:
    lowered = text.lower()
    folded = simplified(lowered)
    if not _SUSPICION.holds(folded):
        return _names_sender(text)
    words: list[str] = [*_STARTS.intersection(_WORD_START.findall(lowered))]
    if not text.isascii():
        words += [word for first in _CJK_FIRST.intersection(text) for word in _CJK[first] if word in text]
    for word in words:
        for sentence in _SENTENCES[word]:
            if sentence.search(folded):
                return True
    return _names_sender(text)


def _names_sender(text: str) -> bool:
    return text[:1] == "【" and _SENDER.match(simplified(text)) is not None
