"""Varied copies of training texts: what people mistype, leave out, shout or decorate, with labels still true."""

import random
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from triage.errors import MissingExtraError
from triage.training.data.examples import Entity, Example
from triage.training.loop.options import AUGMENTATIONS

Edit = tuple[int, int, str]
"""start, end (code points) and what stands there instead."""

_SHARE = 0.1
"""Of the words of a text, how many are mistyped or dropped."""
_KEPT = frozenset(
    ("no", "not", "never", "none", "nothing", "nobody", "without", "cannot", "hardly", "but", "however", "although")
)
_KEPT_CHINESE = frozenset("不没无别未莫非勿很太最差好坏但")
_EMOJI = {"negative": "😡😤😠🙄👎💔😭😞", "positive": "😊👍❤😍🎉🥰💯😄"}


def vary(example: Example, rng: random.Random, kinds: Sequence[str] = AUGMENTATIONS) -> Example:
    """The text with one kind of change, its entities where they now stand; as it was where the kind does not fit.

    Names are never touched, nor are words that turn a meaning round. Raises MissingExtraError for `script` without
    the package opencc.
    """
    return _KINDS[rng.choice(list(kinds))](example, rng)


def vary_some(
    examples: Iterable[Example], share: float, seed: int, kinds: Sequence[str] = AUGMENTATIONS
) -> list[Example]:
    """Each example, with probability `share` as a varied copy. The same for the same seed."""
    if not share:
        return list(examples)
    rng = random.Random(seed)  # noqa: S311 - variety, not secrets
    return [vary(example, rng, kinds) if rng.random() < share else example for example in examples]


def apply_edits(example: Example, edits: Iterable[Edit]) -> Example:
    """The example with `edits` (in order, not overlapping, outside its entities) made and its entities moved along."""
    pieces, last, moved = [], 0, []
    shifts: list[tuple[int, int]] = []
    for start, end, new in edits:
        pieces += [example.text[last:start], new]
        last = end
        shifts.append((end, len(new) - (end - start)))
    for entity in example.entities or ():
        shift = sum(change for end, change in shifts if end <= entity.start)
        moved.append(Entity(entity.start + shift, entity.end + shift, entity.label))
    text = "".join([*pieces, example.text[last:]])
    return replace(example, text=text, entities=None if example.entities is None else tuple(moved))


def _typos(example: Example, rng: random.Random) -> Example:
    """Two letters swapped, one doubled, dropped or mistaken, in some of the longer Latin words."""
    edits = []
    for start, end in _words(example):
        if end - start < 4 or rng.random() > _SHARE:
            continue
        place = rng.randrange(start + 1, end - 1)
        pair = example.text[place : place + 2]
        mistaken = rng.choice(string.ascii_lowercase) + pair[1]
        edits.append((place, place + 2, rng.choice((pair[::-1], pair[0] * 2 + pair[1], pair[0], mistaken))))
    return apply_edits(example, edits)


def _drop(example: Example, rng: random.Random) -> Example:
    """Some words left out; in Chinese single characters."""
    words = [(start, end) for start, end in _words(example, chinese=True) if not _turns(example.text[start:end])]
    if len(words) < 5:
        return example
    return apply_edits(example, [(start, end, "") for start, end in words if rng.random() < _SHARE])


def _case(example: Example, rng: random.Random) -> Example:
    text = rng.choice((str.lower, str.upper))(example.text)
    return replace(example, text=text) if len(text) == len(example.text) else example


def _emoji(example: Example, rng: random.Random) -> Example:
    """One to three emoji at the end that fit the sentiment; none where it is neutral or unknown."""
    fitting = _EMOJI.get(example.sentiment or "")
    if fitting is None:
        return example
    return replace(example, text=example.text + rng.choice(("", " ")) + rng.choice(fitting) * rng.randint(1, 3))


def _script(example: Example, _: random.Random) -> Example:
    """Simplified Chinese as traditional, character by character (opencc's s2t)."""
    if not any("\u4e00" <= character <= "\u9fff" for character in example.text):
        return example
    text = _traditional(example.text)
    return replace(example, text=text) if len(text) == len(example.text) else example


def _traditional(text: str) -> str:
    if "s2t" not in _converters:
        try:
            from opencc import OpenCC
        except ImportError as error:
            raise MissingExtraError("the augmentation `script`", "train") from error
        _converters["s2t"] = OpenCC("s2t").convert
    return _converters["s2t"](text)


_converters: dict[str, Callable[[str], str]] = {}
_KINDS: dict[str, Callable[[Example, random.Random], Example]] = {
    "typos": _typos,
    "drop": _drop,
    "case": _case,
    "emoji": _emoji,
    "script": _script,
}


def _words(example: Example, *, chinese: bool = False) -> list[tuple[int, int]]:
    """Latin words (and Chinese characters) outside entities, handles, hashtags and links."""
    text, words, start = example.text, [], 0
    for part in text.split(" "):
        end = start + len(part)
        if part and not part.startswith(("@", "#", "http", "[")):
            if part.isascii() and part.strip(".,!?;:").replace("'", "").isalpha():
                words.append((start, start + len(part.rstrip(".,!?;:"))))
            elif chinese:
                words += [(i, i + 1) for i in range(start, end) if "\u4e00" <= text[i] <= "\u9fff"]
        start = end + 1
    names = example.entities or ()
    return [(a, b) for a, b in words if all(b <= name.start or a >= name.end for name in names)]


def _turns(word: str) -> bool:
    return word.lower() in _KEPT or word.lower().endswith("n't") or word in _KEPT_CHINESE
