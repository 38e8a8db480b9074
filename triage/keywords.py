"""Finds which of many keywords a text contains, in one pass (Aho-Corasick), independent of their number."""

from collections.abc import Iterable, Mapping

from ahocorasick_rs import AhoCorasick, Implementation

# Up to this many characters in all a table of transitions takes a few megabytes and is twice as fast.
_SMALL = 20_000
_NONE: frozenset[int] = frozenset()


class Keywords:
    """A fixed list of substrings to search for. Thread-safe.

    Keywords are compared literally: the caller must normalize case and script, both of the keywords and of the text.
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
        """Return the indices, in the constructor's list, of the keywords in the text, including overlapping ones."""
        matches = self.occurrences(text)
        return frozenset([match[0] for match in matches]) if matches else _NONE

    def occurrences(self, text: str) -> list[tuple[int, int, int]]:
        """Return each occurrence as index of the keyword, start and end (code points), in order of the ends."""
        try:
            return self._automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:
            # Half a surrogate pair is part of no keyword; a question mark takes its place.
            return self._automaton.find_matches_as_indexes(
                text.encode("utf-8", "replace").decode("utf-8"), overlapping=True
            )


class KeywordGroups:
    """Named groups of keywords; finds the groups with a keyword in a text. Thread-safe."""

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        of: dict[str, set[str]] = {}
        for name, keywords in groups.items():
            for keyword in keywords:
                of.setdefault(keyword, set()).add(name)
        self._groups = [frozenset(names) for names in of.values()]
        self._keywords = Keywords(of)

    def find(self, text: str) -> frozenset[str]:
        """Return the names of the groups that have a keyword in the text."""
        found = self._keywords.find(text)
        return frozenset[str]().union(*[self._groups[index] for index in found]) if found else _NO_GROUPS


_NO_GROUPS: frozenset[str] = frozenset()
_SAME_LETTERS = str.maketrans({"ſ": "s", "ı": "i", "İ": "i"})


def caseless(text: str) -> str:
    """Convert a text to lower case, including the letters that `re` treats as s and i when it ignores case.

    A keyword of ASCII letters and caseless characters is in the result wherever `re.IGNORECASE` finds it.
    """
    if not text.isascii() and ("ſ" in text or "ı" in text or "İ" in text):
        text = text.translate(_SAME_LETTERS)
    return text.lower()
