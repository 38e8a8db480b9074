"""Finds training texts that are also test texts, as copies or near duplicates, and removes them (decontamination)."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from triage.errors import TrainingError
from triage.training.data.examples import Example
from triage.training.data.near_duplicates import near_duplicates

SHORT = 12
"""Letters. Shorter texts are copies only if their digits are equal too ("top up 20" differs from "top up 50")."""


def text_key(text: str) -> str:
    """A key that is equal for copies of a text: its letters, in NFKC and case-folded.

    Spaces, punctuation and emoji are left out, and in texts of at least 12 letters digits too, so that a template with
    another order number has the same key.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(character for character in folded if character.isalpha())
    if len(letters) >= SHORT:
        return letters
    return "".join(character for character in folded if character.isalnum()) or folded.strip()


@dataclass(frozen=True)
class ContaminatedText:
    """A training text that also occurs in a test split; `similarity` is 1 for a copy."""

    text: str
    train_source: str
    test_source: str
    similarity: float = 1.0


class HeldOutTexts:
    """Texts of validation and test splits, which must not be trained on."""

    def __init__(self, texts: Iterable[Example]) -> None:
        self._sources = {text_key(example.text): example.source for example in texts}

    def matches(self, train: Iterable[Example]) -> dict[str, tuple[str, float]]:
        """Find the training texts that also occur among the held-out texts, as copies or near duplicates.

        Returns, by `text_key` of the training text, the source of the held-out text and the similarity of the two (0
        to 1). Near duplicates are found by the shingles of their keys. Texts with short keys match only as copies,
        because different short texts often differ by a single word.
        """
        keys = {text_key(example.text) for example in train}
        found = {key: (self._sources[key], 1.0) for key in keys if key in self._sources}
        left = sorted(key for key in keys if key not in found and len(key) >= SHORT)
        right = [key for key in self._sources if len(key) >= SHORT]
        for i, j, similarity in near_duplicates(left, right):
            if similarity > found.get(left[i], ("", 0.0))[1]:
                found[left[i]] = (self._sources[right[j]], similarity)
        return found


def find_contaminated(train: Iterable[Example], test: Iterable[Example]) -> list[ContaminatedText]:
    """List the texts of `train` that also occur in `test`, as copies or near duplicates."""
    examples = list(train)
    found = HeldOutTexts(test).matches(examples)
    return [
        ContaminatedText(example.text, example.source, *found[key])
        for example in examples
        if (key := text_key(example.text)) in found
    ]


def require_uncontaminated(train: Iterable[Example], test: Iterable[Example]) -> None:
    """Check, as the last step before training, that no training text also occurs in `test`.

    Raises TrainingError naming the first contaminated texts, copies or near duplicates.
    """
    contaminated = find_contaminated(train, test)
    if contaminated:
        shown = "; ".join(
            f"{each.train_source} -> test of {each.test_source}: {each.text[:60]!r}" for each in contaminated[:3]
        )
        raise TrainingError(
            f"{len(contaminated)} training texts are also in a test split, as copies or near duplicates ({shown})"
        )
