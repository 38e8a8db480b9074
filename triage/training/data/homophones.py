"""`python -m triage.training.data.homophones --data DATA`: writes the table of `triage.inference.homophones`.

Needs pypinyin (`pip install pypinyin`), which knows how characters sound and 47,000 words; serving needs neither. The
pairs are those of the project's training texts that tell most about the intent, by the likelihood ratio. A misspelling
is left out if it is part of a word of pypinyin, or if a Chinese text of the training data would be changed by it.
"""

import argparse
import lzma
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from tokenizers import Tokenizer

from triage.errors import TrainingError
from triage.han import simplified
from triage.inference.homophones import TABLE_FILE, Homophones
from triage.training.data.datasets import read_rows
from triage.training.data.labels import RESOURCES

_OWN = ("own_train.jsonl.bz2", "risks_train.jsonl.xz")
_PAIRS = 500
_LEAST_TEXTS = 5
_LEAST = 8
"""Occurrences of a character that is typed by mistake: rarer ones are rarely offered."""
_FUNCTION_CHARACTERS = 50
"""The most frequent characters are of grammar, and make no words of a topic."""
_HAN = re.compile("[\u4e00-\u9fff]+")


def han_runs(text: str) -> list[str]:
    """Runs of Chinese characters in the text, simplified."""
    return _HAN.findall(simplified(text))


def pairs(runs: Iterable[str]) -> set[str]:
    """All pairs of adjacent characters."""
    return {run[at : at + 2] for run in runs for at in range(len(run) - 1)}


def telling(texts: Iterable[tuple[str, str]], least: int = _LEAST_TEXTS) -> list[str]:
    """Pairs of characters in at least `least` of the (text, label), those that tell most about the label first."""
    labels: Counter[str] = Counter()
    with_pair: dict[str, Counter[str]] = {}
    for text, label in texts:
        labels[label] += 1
        for pair in pairs(han_runs(text)):
            with_pair.setdefault(pair, Counter())[label] += 1
    gains = {pair: _gain(counts, labels) for pair, counts in with_pair.items() if counts.total() >= least}
    return sorted(gains, key=lambda pair: (-gains[pair], pair))


def _gain(counts: Mapping[str, int], labels: Counter[str]) -> float:
    """The likelihood ratio of a pair that is in `counts` of the `labels`, against one that is in each alike."""
    total, share = labels.total(), sum(counts.values()) / labels.total()
    cells = (
        cell
        for label, number in labels.items()
        for cell in ((counts[label], number * share), (number - counts[label], number * (1 - share)))
    )
    return sum(seen * math.log(seen / expected) for seen, expected in cells if seen) if total else 0.0


def table(
    words: Sequence[str],
    sound: Callable[[str], Sequence[str]],
    by_sound: Mapping[str, Sequence[str]],
    right: Collection[str],
) -> list[str]:
    """Lines of the table: each word with the characters of the same sound that make no right word of it."""
    taken = set(words)
    lines = []
    for word in words:
        wrong = []
        for place, each in enumerate(sound(word)):
            others = (
                other
                for other in by_sound.get(each, ())
                if (misspelt := word[:place] + other + word[place + 1 :]) not in right and misspelt not in taken
            )
            wrong.append("".join(others) or "-")
        lines.append(" ".join([word, *wrong]))
    return lines


def changed(runs: Iterable[str], homophones: Homophones) -> set[str]:
    """The pairs around each character of the runs that would be read as another."""
    found = set()
    for run in runs:
        for edit in homophones.edits(run):
            found |= {run[max(0, edit.start - 1) : edit.end], run[edit.start : edit.end + 1]}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="triage.training.data.homophones", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the datasets")
    parser.add_argument("--tokenizer", type=Path, default=Path("onnx/triage-en-zh/tokenizer.json"))
    parser.add_argument("--output", type=Path, default=TABLE_FILE)
    given = parser.parse_args()
    try:
        from pypinyin import lazy_pinyin
        from pypinyin.phrases_dict import phrases_dict
    except ImportError as error:
        raise TrainingError("the table of homophones needs pypinyin: pip install pypinyin") from error
    own = [row for name in _OWN for row in read_rows(Path(str(RESOURCES / name)))]
    others = [row for path in sorted(given.data.glob("zh/*/*train.jsonl.gz")) for row in read_rows(path)]
    texts = [row.get("text") or "".join(row.get("tokens") or ()) for row in [*own, *others]]
    runs = [run for text in texts for run in han_runs(text)]
    counts = Counter(character for run in runs for character in run)
    frequent = {character for character, _ in counts.most_common(_FUNCTION_CHARACTERS)}
    by_sound: dict[str, list[str]] = {}
    for character in sorted(each for each, count in counts.items() if count >= _LEAST):
        by_sound.setdefault(lazy_pinyin(character)[0], []).append(character)
    labels = [(row["text"], row["intent"]) for row in own if "intent" in row]
    right = pairs(phrases_dict)
    known = [piece.removeprefix("▁") for piece in Tokenizer.from_file(str(given.tokenizer)).get_vocab()]
    words = [word for word in telling(labels) if not frequent & set(word)][:_PAIRS]
    lines = table(words, lazy_pinyin, by_sound, right)
    while found := changed(runs, Homophones(known, lines)):
        right |= found
        lines = table(words, lazy_pinyin, by_sound, right)
    given.output.write_bytes(lzma.compress(("\n".join(lines) + "\n").encode(), preset=9 | lzma.PRESET_EXTREME))
    Console().print(f"{given.output}: {len(lines):,} words, {given.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
