"""No text that tests may teach: exact and near duplicates of test texts leave the training set."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from triage.errors import TrainingError
from triage.training.data.examples import Example
from triage.training.data.near_duplicates import near_duplicates

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
    """A training text that also stands in a test split; `similarity` is 1 for a copy."""

    text: str
    train_source: str
    test_source: str
    similarity: float = 1.0


class HeldOut:
    """Texts that nothing may be trained on."""

    def __init__(self, texts: Iterable[Example]) -> None:
        self._sources = {text_key(example.text): example.source for example in texts}

    def leaks(self, train: Iterable[Example]) -> dict[str, tuple[str, float]]:
        """By key of a training text: the source that holds it out, and how similar the two are.

        Near copies are found by the shingles of their keys; short texts, which differ by a word, only as copies.
        """
        keys = {text_key(example.text) for example in train}
        found = {key: (self._sources[key], 1.0) for key in keys if key in self._sources}
        left = sorted(key for key in keys if key not in found and len(key) >= SHORT)
        right = [key for key in self._sources if len(key) >= SHORT]
        for i, j, similarity in near_duplicates(left, right):
            if similarity > found.get(left[i], ("", 0.0))[1]:
                found[left[i]] = (self._sources[right[j]], similarity)
        return found


def find_leaks(train: Iterable[Example], test: Iterable[Example]) -> list[Leak]:
    examples = list(train)
    found = HeldOut(test).leaks(examples)
    return [
        Leak(example.text, example.source, *found[key])
        for example in examples
        if (key := text_key(example.text)) in found
    ]


def drop_leaks(train: Iterable[Example], test: Iterable[Example]) -> list[Example]:
    """`train` without the texts that stand, or nearly stand, in `test`."""
    examples = list(train)
    found = HeldOut(test).leaks(examples)
    return [example for example in examples if text_key(example.text) not in found]


def assert_no_leak(train: Iterable[Example], test: Iterable[Example]) -> None:
    """Raises TrainingError naming the first leaks; the last check before a model learns anything."""
    leaks = find_leaks(train, test)
    if leaks:
        shown = "; ".join(
            f"{leak.train_source} -> test of {leak.test_source}: {leak.text[:60]!r}" for leak in leaks[:3]
        )
        raise TrainingError(f"{len(leaks)} training texts also stand, or nearly, in a test split ({shown})")
