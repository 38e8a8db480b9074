"""Finds which of many keywords a text contains, in one pass over it (Aho-Corasick), however many there are."""

from collections.abc import Iterable, Mapping

from ahocorasick_rs import AhoCorasick, Implementation

# Up to this many characters in all a table of transitions takes a few megabytes and is twice as fast.
_SMALL = 20_000
_NONE: frozenset[int] = frozenset()


class Keywords:
    """A fixed list of substrings to look for. Thread-safe.

    Keywords are compared as they are: case and script are the caller's to fold, in the keywords and in the text.
    """

    def __init__(self, keywords: Iterable[str]) -> None:
        """Prepare the search. Raises ValueError for an empty keyword, which every text would contain."""
        listed = list(keywords)
        if "" in listed:
            raise ValueError("a keyword must have at least one character")
        small = sum(map(len, listed)) <= _SMALL
        self._automaton = AhoCorasick(
            listed, implementation=Implementation.DFA if small else Implementation.ContiguousNFA, store_patterns=False
        )

    def find(self, text: str) -> frozenset[int]:
        """Indices of the keywords that are in the text, also of those that overlap."""
        try:
            matches = self._automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:
            # Half a surrogate pair is part of no keyword.
            matches = self._automaton.find_matches_as_indexes(
                text.encode("utf-8", "replace").decode("utf-8"), overlapping=True
            )
        return frozenset([match[0] for match in matches]) if matches else _NONE


class KeywordGroups:
    """Named groups of keywords: tells which groups have a keyword in a text. Thread-safe."""

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        of: dict[str, set[str]] = {}
        for name, keywords in groups.items():
            for keyword in keywords:
                of.setdefault(keyword, set()).add(name)
        self._groups = [frozenset(names) for names in of.values()]
        self._keywords = Keywords(of)

    def find(self, text: str) -> frozenset[str]:
        """Names of the groups of which the text contains a keyword."""
        found = self._keywords.find(text)
        return frozenset[str]().union(*[self._groups[index] for index in found]) if found else _NO_GROUPS


_NO_GROUPS: frozenset[str] = frozenset()
_SAME_LETTERS = str.maketrans({"ſ": "s", "ı": "i", "İ": "i"})


def caseless(text: str) -> str:
    """The text in lower case, with the letters that `re` takes for s and i when it ignores case.

    A keyword of ASCII letters and characters without case is in the result wherever `re.IGNORECASE` finds it.
    """
    if not text.isascii() and ("ſ" in text or "ı" in text or "İ" in text):
        text = text.translate(_SAME_LETTERS)
    return text.lower()
