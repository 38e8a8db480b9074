"""No text that tests may teach: exact and near duplicates of test texts leave the training set."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from triage.errors import TrainingError
from triage.training.examples import Example

SHORT = 12
"""Letters; below it two texts are the same only if they are equal digits included ("top up 20" and "top up 50")."""


def text_key(text: str) -> str:
    """What two copies of a text share: letters in NFKC lower case, no blanks, punctuation or emoji.

    Digits are left out of longer texts, so that a template with another order number is the same text.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(character for character in folded if character.isalpha())
    if len(letters) >= SHORT:
        return letters
    return "".join(character for character in folded if character.isalnum()) or folded.strip()


@dataclass(frozen=True)
class Leak:
    """A training text that also stands in a test split."""

    text: str
    train_source: str
    test_source: str


def find_leaks(train: Iterable[Example], test: Iterable[Example]) -> list[Leak]:
    tested = {text_key(example.text): example.source for example in test}
    return [
        Leak(example.text, example.source, tested[key])
        for example in train
        if (key := text_key(example.text)) in tested
    ]


def drop_leaks(train: Iterable[Example], test: Iterable[Example]) -> list[Example]:
    """`train` without the texts that stand in `test`."""
    tested = {text_key(example.text) for example in test}
    return [example for example in train if text_key(example.text) not in tested]


def assert_no_leak(train: Iterable[Example], test: Iterable[Example]) -> None:
    """Raises TrainingError naming the first leaks; the last check before a model learns anything."""
    leaks = find_leaks(train, test)
    if leaks:
        shown = "; ".join(
            f"{leak.train_source} -> test of {leak.test_source}: {leak.text[:60]!r}" for leak in leaks[:3]
        )
        raise TrainingError(f"{len(leaks)} training texts also stand in a test split ({shown})")
