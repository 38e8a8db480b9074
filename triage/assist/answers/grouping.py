"""Groups questions that got no answer by meaning: each group is an article to write."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from triage.assist.retrieval.similarity import Centres, Vector
from triage.schemas.evidence import Unanswered
from triage.schemas.knowledge import unpack_vector

# Of pairs that it puts together in 240 training questions of banking77 (30 intents), 63 % have the same intent.
_ALIKE = 0.45


@dataclass(frozen=True)
class AskedGroup:
    """Questions that belong together, newest first; the most frequent intent and nearest article, None without any."""

    questions: list[Unanswered]
    intent: str | None
    article: str | None


def group_questions(questions: Sequence[Unanswered], centres: Centres, alike: float = _ALIKE) -> list[AskedGroup]:
    """Group questions, given newest first; the largest group is the first, of equal ones that with the newest question.

    Questions join the group whose mean vector is nearest, if its similarity is `alike` or more. Vectors of different
    encoders are never compared. Questions without a vector are grouped by intent and nearest article.
    """
    groups: dict[object, list[Unanswered]] = {}
    means: dict[str, _Means] = {}
    for question in questions:
        if question.exact is None or question.encoder is None:
            groups.setdefault((question.intent, question.article), []).append(question)
            continue
        vector = centres.question(unpack_vector(question.exact), question.language)
        of_encoder = means.setdefault(question.encoder, _Means(len(questions), len(vector)))
        groups.setdefault((question.encoder, of_encoder.nearest(vector, alike)), []).append(question)
    found = [
        AskedGroup(asked, _most(each.intent for each in asked), _most(each.article for each in asked))
        for asked in groups.values()
    ]
    # Stable: groups are in the order of their newest questions.
    return sorted(found, key=lambda group: -len(group.questions))


class _Means:
    """Sums of the vectors of groups, and their directions, [groups, dimensions]."""

    def __init__(self, most: int, dimensions: int) -> None:
        self._sums = np.zeros((most, dimensions), np.float32)
        self._directions = np.zeros((most, dimensions), np.float32)
        self._groups = 0

    def nearest(self, vector: Vector, alike: float) -> int:
        """Add a vector to the nearest group, or to a new one, and return the group's number."""
        similar = self._directions[: self._groups] @ vector
        number = int(similar.argmax()) if self._groups else 0
        if not self._groups or similar[number] < alike:
            number = self._groups
            self._groups += 1
        self._sums[number] += vector
        self._directions[number] = self._sums[number] / max(float(np.linalg.norm(self._sums[number])), 1e-6)
        return number


def _most(values: Iterable[str | None]) -> str | None:
    counted = Counter(value for value in values if value is not None)
    return counted.most_common(1)[0][0] if counted else None
