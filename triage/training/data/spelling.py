"""`python -m triage.training.data.spelling --data DATA`: writes the words of `triage.inference.spelling`.

Frequent words of the English training texts are what a misspelt word may mean. Words of these texts that look like one
of them misspelt, but are seen again and again, are right: shrunk is not shrink.
"""

import argparse
import lzma
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console

from triage.inference.spelling import WORDS_FILE, is_slip
from triage.training.data.datasets import read_rows
from triage.training.data.labels import RESOURCES

_LEAST = 60
"""Occurrences of a frequent word."""
_LEAST_SETS = 3
"""Datasets with a frequent word: names and words of one trade are not meant by others."""
_LEAST_RIGHT = 3
"""Occurrences of a word that is right if it is not that much rarer than the word that it could be a slip of."""
_RATIO = 50
"""Least ratio of the frequency of the word that is meant to that of a misspelling seen again and again."""
_RATIOS = {4: float("inf"), 5: 400}
"""The same by the letters of the misspelling: of short ones too many are right."""
_LEAST_LETTERS = 5
_OWN, _RISKS = "own_train.jsonl.bz2", "risks_train.jsonl.xz"
_MOST_CHARS = 1_500
_WORD = re.compile(r"(?<![\w@#/.\-'’&])[a-z]+(?![\w@/\-'’&]|\.\w)")
# Right words that are rare in feedback and one letter from a frequent word.
_RIGHT = """
    snowing hopping noting lively farther causal prefect polling coarse derailed petting chapped waning chanted
    riles recant staged starring declines typos avid lucky sprung herd severs deserts loser losers noticing wining
    trial trail quiet united untied collage diary dairy advice advise affect effect coral cloths breath bathe
    stall greet plow statue latter supper cracker cracked sighing dripped contracting strays constriction
    thongs thong annul medial ransom nerds gamers descent partied dished timed sealed sailing bellow bathing slipping
    shaded spade alight ablaze aflame singed scald seared sear seize choke choked chock fume fumes
"""


def count_words(files: Iterable[Path]) -> tuple[Counter[str], Counter[str]]:
    """Count the lower-case words in `text` or `tokens` of the rows of JSON lines files.

    Returns by word: the number of occurrences, and the number of folders (data sets) with a file that has it.
    """
    words: Counter[str] = Counter()
    folders: dict[Path, set[str]] = {}
    for path in files:
        for row in read_rows(path):
            text = row.get("text") or " ".join(row.get("tokens") or ())
            found = _WORD.findall(text[:_MOST_CHARS])
            words.update(found)
            folders.setdefault(path.parent, set()).update(found)
    return words, Counter(word for found in folders.values() for word in found)


def chosen(words: Counter[str], sets: Counter[str], sure: frozenset[str] = frozenset()) -> tuple[list[str], list[str]]:
    """Choose frequent words, the most frequent first, and further words that are right although they resemble these.

    `words` and `sets` are the results of `count_words`. Words in `sure` are right however rare they are.
    """
    frequent = [
        word
        for word, count in sorted(words.items(), key=lambda item: (-item[1], item[0]))
        if count >= _LEAST and len(word) >= _LEAST_LETTERS and sets[word] >= _LEAST_SETS
    ]
    known = set(frequent)
    by_part: dict[str, list[str]] = {}
    for word in frequent:
        for part in _parts(word):
            by_part.setdefault(part, []).append(word)
    right = set(_RIGHT.split()) - known
    for word, count in words.items():
        if (count >= _LEAST_RIGHT or word in sure) and word not in known:
            meant = {other for part in _parts(word) for other in by_part.get(part, ()) if is_slip(word, other)}
            most = max((words[other] for other in meant), default=0)
            if meant and (word in sure or most < _RATIOS.get(len(word), _RATIO) * count):
                right.add(word)
    return frequent, sorted(right)


def _parts(word: str) -> Iterator[str]:
    yield word
    yield from (word[:place] + word[place + 1 :] for place in range(len(word)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="triage.training.data.spelling", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--output", type=Path, default=WORDS_FILE)
    given = parser.parse_args()
    risks = Path(str(RESOURCES / _RISKS))
    files = [*sorted(given.data.glob("en/*/*train.jsonl.gz")), Path(str(RESOURCES / _OWN)), risks]
    # A rare word of danger must never be read as a frequent one: alight is not alright.
    frequent, right = chosen(*count_words(files), frozenset(count_words([risks])[0]))
    content = "\n".join([*frequent, "", *right]) + "\n"
    given.output.write_bytes(lzma.compress(content.encode("ascii"), preset=9 | lzma.PRESET_EXTREME))
    Console().print(f"{given.output}: {len(frequent):,} frequent words, {len(right):,} others that are right")


if __name__ == "__main__":
    main()
