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


class _Suspicion:
    """Finds in one pass over a text the sentences that it can hold: it has a word and a part of each."""

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
            number[word]: [(frozenset(number[part] for part in parts[each] or (word,)), each) for each in sentences]
            for word, sentences in words.items()
        }

    def sentences(self, folded: str) -> list[re.Pattern[str]]:
        """Sentences to search in a text, which is in lower case and simplified characters."""
        found = self._keywords.find(folded)
        return [
            sentence
            for keyword in found
            for parts, sentence in self._parts.get(keyword, ())
            if not parts.isdisjoint(found)
        ]


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
    folded = simplified(text.lower())
    for sentence in _SUSPICION.sentences(folded):
        if sentence.search(folded):
            return True
    return _names_sender(text)


def _names_sender(text: str) -> bool:
    return text[:1] == "【" and _SENDER.match(simplified(text)) is not None
