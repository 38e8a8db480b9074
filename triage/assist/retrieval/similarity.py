"""Compares vectors by their exact values, relative to the mean question and the mean passage of their language.

The encoder's vectors share a large common part, by which some passages are near to every question. Without it, the
right article of hard questions is the first one about a fifth more often (docs/knowledge.md).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.elastic.passages import FoundPassage, FoundPassages
from triage.schemas.knowledge import PassageDocument, pack_vector, passage_id, unpack_vector

Vector = NDArray[np.float32]


class Centre(msgspec.Struct, frozen=True):
    """The mean vectors of questions and of passages in one language, as `pack_vector` packs them."""

    question: str
    passage: str


@dataclass(frozen=True)
class Centres:
    """Mean vectors by language; `""` stands for any other language. Without any, vectors are compared as they are."""

    questions: Mapping[str, Vector]
    passages: Mapping[str, Vector]

    @classmethod
    def of(cls, packed: Mapping[str, Centre]) -> "Centres":
        return cls(
            {language: unpack_vector(each.question) for language, each in packed.items()},
            {language: unpack_vector(each.passage) for language, each in packed.items()},
        )

    def question(self, vector: Vector, language: str) -> Vector:
        """The question's vector relative to the mean question of its language, L2-normalized."""
        return _relative(vector, _mean(self.questions, language))

    def passage(self, vector: Vector, language: str) -> Vector:
        """The passage's vector relative to the mean passage of its language, L2-normalized."""
        return _relative(vector, _mean(self.passages, language))


def with_exact_scores(
    found: FoundPassages, question: Vector, language: str, encoder: str, centres: Centres
) -> FoundPassages:
    """The same with exact similarities, also of passages that only words found. `question` is as it was encoded.

    The index compares vectors of 8 bits, and some servers are off by more than what separates two articles.
    """
    asked = centres.question(question, language)
    ranked = [
        FoundPassage(passage, float(centres.passage(unpack_vector(passage.exact or ""), passage.language) @ asked))
        for passage in _distinct([*found.by_vector, *found.by_words])
        if passage.exact is not None and passage.encoder == encoder
    ]
    return replace(found, by_vector=sorted(ranked, key=lambda each: -each.score))


def fit_centres(
    questions: Iterable[tuple[Vector, str]], passages: Iterable[PassageDocument], fewest: int
) -> dict[str, Centre]:
    """Mean vectors of (question, language) and of passages, for each language that has `fewest` of both."""
    asked: dict[str, list[Vector]] = {"": []}
    for vector, language in questions:
        for name in ("", language):
            asked.setdefault(name, []).append(vector)
    told: dict[str, dict[str, Vector]] = {"": {}}
    for each in passages:
        if each.exact is not None:
            for name in ("", each.language):
                told.setdefault(name, {})[each.passage] = unpack_vector(each.exact)
    return {
        language: Centre(
            pack_vector(np.mean(asked[language], axis=0)),
            pack_vector(np.mean(list(told[language].values()), axis=0)),
        )
        for language in asked
        if min(len(asked[language]), len(told.get(language, ()))) >= fewest
    }


def _distinct(found: Iterable[FoundPassage]) -> Iterable[PassageDocument]:
    return {
        passage_id(each.passage.article, each.passage.version, each.passage.number): each.passage for each in found
    }.values()


def _mean(means: Mapping[str, Vector], language: str) -> Vector | None:
    return means.get(language, means.get(""))


def _relative(vector: Vector, mean: Vector | None) -> Vector:
    relative = vector if mean is None else vector - mean
    # A zero vector has no direction, and servers refuse it.
    return np.asarray(relative / max(float(np.linalg.norm(relative)), 1e-6), np.float32)
