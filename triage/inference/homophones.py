"""Reads Chinese words with one character of the same sound as the words that were meant: 推款 as 退款, 登路 as 登录.

Who types by sound picks such a character easily. `homophones.txt.xz` has pairs of characters that say what feedback is
about and, for each of the two, characters of the same sound that make no word of it. A character stays where it
or its neighbour makes another word with the character next to it: in 买书服务 the word is 服务, not 舒服.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from triage.inference.spelling import Edit
from triage.keywords import Keywords
from triage.packed import read_unpacked

TABLE_FILE = Path(__file__).with_name("homophones.txt.xz")
_PAIR = re.compile("[\u3400-\u9fff]{2}")
_HAN = re.compile("[\u3400-\u9fff]")


class Homophones:
    """Corrects single characters of simplified Chinese texts. Thread-safe: it does not change."""

    def __init__(self, known: Iterable[str], table: Iterable[str] | None = None) -> None:
        """`known` are words that are right, those of the tokenizer, besides those of the table.

        Each line of the table, by default that of the file, has a pair of characters and, separated by spaces, the
        wrong characters for each of the two, `-` for none.
        """
        lines = [line.split(" ") for line in (table or read_unpacked(TABLE_FILE).decode("utf-8").splitlines())]
        self._known = frozenset([*(word for word in known if _PAIR.fullmatch(word)), *(line[0] for line in lines)])
        meant: dict[str, tuple[int, str]] = {}
        for word, *wrong in lines:
            for place, characters in enumerate(wrong):
                for character in characters.replace("-", ""):
                    meant.setdefault(word[:place] + character + word[place + 1 :], (place, word[place]))
        self._misspelt = [word for word in meant if word not in self._known]
        self._meant = [meant[word] for word in self._misspelt]
        self._keywords = Keywords(self._misspelt)

    def edits(self, text: str) -> list[Edit]:
        """The characters of `text` that are of another word with the same sound, in order; linear in its length."""
        found: list[Edit] = []
        if not _HAN.search(text):
            return found
        last = 0
        for index, start, end in self._keywords.occurrences(text):
            if start >= last and not self._crosses(text, start, end):
                place, character = self._meant[index]
                found.append(Edit(start + place, start + place + 1, character))
                last = end
        return found

    def _crosses(self, text: str, start: int, end: int) -> bool:
        """A known word begins before `start`, or ends after `end`."""
        return text[max(0, start - 1) : start + 1] in self._known or text[end - 1 : end + 1] in self._known
