"""The search syntax of *Explore*: words, phrases in quotes, and a minus before what a text must not have.

The query is made of `match` and `match_phrase`, which analyze Chinese as the index does and which every server has;
`simple_query_string` would take other signs (`+ | * ~ ( )`) for operators, and drop a minus before Chinese words.
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
    """Conditions on a text; `literal` are parts that look like operators, but are words here.

    `words` can be anywhere in the text, `phrases` have their words next to each other in this order. A text has none of
    `excluded`, of which each is a word or a phrase. `unclosed`: a quote is not closed.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    literal: tuple[str, ...] = ()
    unclosed: bool = False

    def conditions(self, field: str = "text") -> list[JsonObject]:
        """The search as conditions for Elasticsearch, all of which must hold."""
        found: list[JsonObject] = []
        if self.words:
            found.append({"match": {field: {"query": " ".join(self.words), "operator": "and"}}})
        found += [_phrase(field, phrase) for phrase in self.phrases]
        if self.excluded:
            found.append({"bool": {"must_not": [_phrase(field, each) for each in self.excluded]}})
        return found


def parse_search(text: str, fields: frozenset[str] = frozenset()) -> Search:
    """Read a search; a quote that is not closed reaches to the end.

    `fields` are names before a colon that people may take for the field to search in.
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
