"""Ranks the items that fit by their similarity to the customer's words, and by orders where that is switched on."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from triage.assist.encoder.base import SentenceEncoder
from triage.assist.guide.snapshot import Snapshot
from triage.assist.retrieval.similarity import Centres
from triage.assist.retrieval.words import content_words, share_of
from triage.schemas.catalogue import CatalogueItem

FEWEST_ORDERS = 5
"""Items that fewer orders have together tell nothing: on open logs such pairs are chance."""
_WORDS_WEIGHT = 0.1
_ORDERS_WEIGHT = 0.2


class Ranking:
    """Ranks items of a snapshot by words and vectors; by words alone without an encoder that made all their vectors."""

    def __init__(self, encoder: SentenceEncoder | None, centres: Centres) -> None:
        self._encoder, self._centres = encoder, centres

    def why_degraded(self, snapshot: Snapshot) -> str | None:
        """The reason why items are ranked by words alone; None if their vectors count."""
        if self._encoder is None:
            return "no sentence encoder is built (triage knowledge encoder build)"
        if snapshot.encoder != self._encoder.version:
            return f"the catalogue has no vectors of {self._encoder.version}; run `triage guide apply`"
        return None

    def ranked(
        self,
        items: Sequence[CatalogueItem],
        snapshot: Snapshot,
        query: str,
        language: str,
        bought: Sequence[str] = (),
    ) -> list[tuple[CatalogueItem, float]]:
        """Items with their scores for the customer's words `query`, best first; equal scores in the catalogue's order.

        Items that are often ordered with those in `bought` score higher. Raises ModelError.
        """
        words = content_words(query)
        vector = self._vector(query, language) if self.why_degraded(snapshot) is None and words else None
        together = _together(snapshot.bought_with, bought)
        scored = []
        for item in items:
            text_language, text = item.in_language(item.text, language)
            score = _WORDS_WEIGHT * share_of(words, f"{item.called(language)} {text}")
            of_item = snapshot.vectors.get(item.id, {})
            if vector is not None and of_item:
                chosen = language if language in of_item else next(iter(of_item))
                score += float(self._centres.passage(of_item[chosen], chosen or text_language) @ vector)
            score += _ORDERS_WEIGHT * together.get(item.id, 0.0)
            scored.append((item, score))
        return sorted(scored, key=lambda pair: -pair[1])

    def _vector(self, query: str, language: str) -> NDArray[np.float32]:
        assert self._encoder is not None
        return self._centres.question(self._encoder.encode_questions([query])[0], language)


def _together(bought_with: Mapping[str, Mapping[str, int]], bought: Sequence[str]) -> dict[str, float]:
    """Orders of each item together with those bought, relative to the most; fewer than five do not count."""
    counts = {
        item: sum(number for other in bought if (number := others.get(other, 0)) >= FEWEST_ORDERS)
        for item, others in bought_with.items()
        if item not in bought
    }
    most = max(counts.values(), default=0)
    return {item: number / most for item, number in counts.items()} if most else {}
