"""Types and functions that the finders of entities share."""

import re
from collections.abc import Callable, Iterable, Iterator

from triage.beginnings import any_beginning
from triage.patterns import load_patterns

_CUES = load_patterns("triage.redaction.recognizers", "cues")
Found = list[tuple[int, int]]
Finder = Callable[[str], Found]

MASK = "\ue000"
"""A character of the private use area; `normalize` removes it from texts."""
CJK = "\u2e80-\u303f\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_LOOK_BACK = 40
_LETTER = re.compile(r"[^\W\d_]")


def mask(text: str, found: Iterable[tuple[int, int]]) -> str:
    """Replace each character of the spans in `found` (sorted, not overlapping) by `MASK`; the length stays."""
    parts: list[str] = []
    position = 0
    for start, end in found:
        parts += text[position:start], MASK * (end - start)
        position = end
    parts.append(text[position:])
    return "".join(parts)


def merged(found: Found) -> Found:
    """Sort ranges by start, and merge overlapping ones."""
    result: Found = []
    for start, end in sorted(found):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def scan(pattern: re.Pattern[str], text: str, accept: Callable[[re.Match[str]], bool]) -> Found:
    """Ranges of the matches of a pattern of bounded length that `accept` accepts.

    After a match that is not accepted, the search continues one character further.
    """
    found = []
    position = 0
    while (match := pattern.search(text, position)) is not None:
        if accept(match):
            found.append(match.span())
            position = match.end()
        else:
            position = match.start() + 1
    return found


def cued(text: str, start: int, cue: re.Pattern[str]) -> bool:
    """True if `cue` matches directly before `start`; it is a pattern that ends in `$`, such as `cue_before` returns."""
    before = text[max(0, start - _LOOK_BACK) : start]
    # Every word has a letter: long runs of digits and signs are not searched.
    return _LETTER.search(before) is not None and cue.search(before) is not None


class Signs:
    """Lower-case parts of words that a finder needs: a text without any of them is not searched further.

    Implemented as a loop over `in`, because it runs for every text and one regular expression of all parts is slower.
    """

    def __init__(self, *signs: str) -> None:
        # A sign that holds another one finds nothing more.
        needed = [sign for sign in dict.fromkeys(signs) if not any(other != sign and other in sign for other in signs)]
        self._ascii = tuple(sign for sign in needed if sign.isascii())
        self._all = tuple(needed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def any_in(self, lowered: str) -> bool:
        """True if the text, which must be in lower case, contains any of these parts of words."""
        for sign in self._ascii if lowered.isascii() else self._all:  # noqa: SIM110 - a generator costs more
            if sign in lowered:
                return True
        return False


def cue_words(name: str) -> str:
    """Regular expression for any word of the group `name` in cues.yaml, ignoring case."""
    return any_beginning(_CUES[name])


def cue_before(name: str, fillers: str) -> re.Pattern[str]:
    """Pattern for `cued`: a word of the group `name` in cues.yaml, then any number of the `fillers`."""
    return re.compile(f"{any_beginning(_CUES[name])}(?i:(?:{fillers})*)$")
