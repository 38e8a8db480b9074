"""The search syntax of *Explore*: words, phrases in quotes, and a minus before words that must not occur.

The query consists of `match` and `match_phrase`, which analyze Chinese as the index does and which every server has;
`simple_query_string` would interpret other characters (`+ | * ~ ( )`) as operators, and ignore a minus before Chinese
words.
"""

import re
from dataclasses import dataclass

from triage.elastic.mapping import JsonObject

_QUOTES = {'"': '"', "“": "”", "”": "”", "„": "“", "«": "»", "「": "」", "『": "』", "＂": "＂"}
_MINUS = "-－−"
_BLANK = re.compile(r"\s+")
_OPERATOR = re.compile(r"(?:AND|OR|NOT|&&|\|\|)")
_WILDCARD = re.compile(r"[\w*]*\w\*|\*\w[\w*]*")
_LETTER = re.compile(r"\w")


@dataclass(frozen=True)
class Search:
    """Conditions on a text; `literal` are parts that look like operators, but are treated as words.

    `words` can be anywhere in the text; the words of each of the `phrases` must be adjacent and in order. None of
    `excluded`, words or phrases, may occur. `unclosed`: a quote is not closed.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    literal: tuple[str, ...] = ()
    unclosed: bool = False

    def conditions(self, field: str = "text") -> list[JsonObject]:
        """Return the search in the index's field `field` as Elasticsearch conditions, all of which must hold."""
        found: list[JsonObject] = []
        if self.words:
            found.append({"match": {field: {"query": " ".join(self.words), "operator": "and"}}})
        found += [_phrase(field, phrase) for phrase in self.phrases]
        if self.excluded:
            found.append({"bool": {"must_not": [_phrase(field, each) for each in self.excluded]}})
        return found


def parse_search(text: str, fields: frozenset[str] = frozenset()) -> Search:
    """Parse a search; an unclosed quote extends to the end.

    `fields` are names that users may put before a colon as the field to search; such parts are added to `literal`.
    """
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    unclosed = False
    position, end = 0, len(text)
    while position < end:
        if text[position].isspace():
            position += 1
            continue
        minus = text[position] in _MINUS and position + 1 < end and not text[position + 1].isspace()
        position += minus
        closing = _QUOTES.get(text[position])
        if closing is None:
            found = _BLANK.search(text, position)
            stop = after = found.start() if found else end
            part, kept = text[position:stop], words
        else:
            stop = text.find(closing, position + 1)
            unclosed = unclosed or stop < 0
            stop = end if stop < 0 else stop
            part, after, kept = text[position + 1 : stop].strip(), stop + 1, phrases
        # Signs alone match nothing: neither a text nor an exclusion is meant.
        if _LETTER.search(part):
            (excluded if minus else kept).append(part)
        position = after
    return Search(tuple(words), tuple(phrases), tuple(excluded), _literal((*words, *excluded), fields), unclosed)


def _literal(words: tuple[str, ...], fields: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        word
        for word in dict.fromkeys(words)
        if _OPERATOR.fullmatch(word) or _WILDCARD.fullmatch(word) or (word.partition(":")[0] in fields and ":" in word)
    )


def _phrase(field: str, text: str) -> JsonObject:
    return {"match_phrase": {field: text}}
