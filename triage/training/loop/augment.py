"""Augments training texts by typos, dropped words, case, emoji and script, keeping their labels valid."""

import random
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from triage.errors import MissingExtraError
from triage.training.data.examples import Entity, Example
from triage.training.loop.options import AUGMENTATIONS

Edit = tuple[int, int, str]
"""Start and end in code points, and the replacement."""

_SHARE = 0.1
"""Share of the words of a text that are mistyped or dropped."""
_NEGATIONS = frozenset(
    ("no", "not", "never", "none", "nothing", "nobody", "without", "cannot", "hardly", "but", "however", "although")
)
_NEGATIONS_CHINESE = frozenset("不没无别未莫非勿很太最差好坏但")
_EMOJI = {"negative": "😡😤😠🙄👎💔😭😞", "positive": "😊👍❤😍🎉🥰💯😄"}


def augment_example(example: Example, rng: random.Random, kinds: Sequence[str] = AUGMENTATIONS) -> Example:
    """The example with one kind of change, drawn from `kinds` by `rng`, and its entities at their new offsets.

    An example that the kind does not apply to is returned unchanged. Names, and words that change the meaning such as
    negations, are never altered. Raises MissingExtraError for `script` without the package opencc.
    """
    return _KINDS[rng.choice(list(kinds))](example, rng)


def augment_examples(
    examples: Iterable[Example], share: float, seed: int, kinds: Sequence[str] = AUGMENTATIONS
) -> list[Example]:
    """All examples, each of them augmented with probability `share`; deterministic for a seed."""
    if not share:
        return list(examples)
    rng = random.Random(seed)  # noqa: S311 - no secret
    return [augment_example(example, rng, kinds) if rng.random() < share else example for example in examples]


def apply_edits(example: Example, edits: Iterable[Edit]) -> Example:
    """Replace parts of the example's text and move its entities accordingly.

    `edits` are (start, end, replacement), in order, disjoint, and outside entities.
    """
    parts, last, moved = [], 0, []
    shifts: list[tuple[int, int]] = []
    for start, end, new in edits:
        parts += [example.text[last:start], new]
        last = end
        shifts.append((end, len(new) - (end - start)))
    for entity in example.entities or ():
        shift = sum(change for end, change in shifts if end <= entity.start)
        moved.append(Entity(entity.start + shift, entity.end + shift, entity.label))
    text = "".join([*parts, example.text[last:]])
    return replace(example, text=text, entities=None if example.entities is None else tuple(moved))


def _typos(example: Example, rng: random.Random) -> Example:
    """Swap two letters, or double, drop or replace one, in some of the longer Latin words."""
    edits = []
    for start, end in _words(example):
        if end - start < 4 or rng.random() > _SHARE:
            continue
        place = rng.randrange(start + 1, end - 1)
        pair = example.text[place : place + 2]
        replaced = rng.choice(string.ascii_lowercase) + pair[1]
        edits.append((place, place + 2, rng.choice((pair[::-1], pair[0] * 2 + pair[1], pair[0], replaced))))
    return apply_edits(example, edits)


def _drop(example: Example, rng: random.Random) -> Example:
    """Drop some words; in Chinese single characters."""
    words = [(start, end) for start, end in _words(example, chinese=True) if not _is_negation(example.text[start:end])]
    if len(words) < 5:
        return example
    return apply_edits(example, [(start, end, "") for start, end in words if rng.random() < _SHARE])


def _case(example: Example, rng: random.Random) -> Example:
    """Convert the text to lower or upper case."""
    return _converted(example, rng.choice((str.lower, str.upper)))


def _emoji(example: Example, rng: random.Random) -> Example:
    """Append one to three emoji that express the sentiment, unless it is neutral or unknown."""
    emoji = _EMOJI.get(example.sentiment or "")
    if emoji is None:
        return example
    return replace(example, text=example.text + rng.choice(("", " ")) + rng.choice(emoji) * rng.randint(1, 3))


def _script(example: Example, _: random.Random) -> Example:
    """Convert simplified to traditional Chinese, character by character (opencc's s2t)."""
    if not any("\u4e00" <= character <= "\u9fff" for character in example.text):
        return example
    return _converted(example, _traditional)


def _converted(example: Example, convert: Callable[[str], str]) -> Example:
    """The example with the text between its names converted."""
    names = sorted((entity.start, entity.end) for entity in example.entities or ())
    bounds = [0, *(bound for name in names for bound in name), len(example.text)]
    between = zip(bounds[::2], bounds[1::2], strict=True)
    return apply_edits(example, [(start, end, convert(example.text[start:end])) for start, end in between])


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
    """Ranges [start, end) of Latin words (and Chinese characters) outside entities, handles, hashtags and links."""
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


def _is_negation(word: str) -> bool:
    return word.lower() in _NEGATIONS or word.lower().endswith("n't") or word in _NEGATIONS_CHINESE
