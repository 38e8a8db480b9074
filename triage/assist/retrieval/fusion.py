"""Fuses the ranking by words and the one by vectors into one ranking of articles."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from triage.assist.retrieval.parameters import FusionWeights
from triage.elastic.passages import FoundPassage, FoundPassages
from triage.schemas.knowledge import PassageDocument

# A passage that one ranking does not have is a little worse there than its last one.
_BELOW_LAST = 0.01


@dataclass(frozen=True)
class Candidate:
    """A passage with its fused score; `cosine` and `words` (BM25) are None if a ranking does not have it.

    `tokens` is its article's similarity token by token, None if it was not compared.
    """

    passage: PassageDocument
    score: float
    cosine: float | None
    words: float | None
    tokens: float | None = None


def fuse(
    found: FoundPassages, weights: FusionWeights, language: str, learned: Callable[[str], float] | None = None
) -> list[Candidate]:
    """All passages found, best first: cosine plus weighted BM25 and tokens, or BM25 alone without vectors.

    BM25 is relative to the best passage, so that scores of different questions and indices are alike. `learned` is
    added for an article, from what people made of it.
    """
    passages: dict[str, PassageDocument] = {}
    cosines = _scores(found.by_vector, passages)
    words = _scores(found.by_words, passages)
    best_words = max(words.values(), default=0.0) or 1.0
    least_cosine = min(cosines.values(), default=0.0) - _BELOW_LAST
    least_tokens = min(found.by_tokens.values(), default=0.0) - _BELOW_LAST
    candidates = []
    for identity, passage in passages.items():
        relative = words.get(identity, 0.0) / best_words
        if cosines:
            score = cosines.get(identity, least_cosine) + weights.words * relative
            score += weights.language * (passage.language == language)
            score += weights.tokens * found.by_tokens.get(passage.article, least_tokens)
        else:
            score = relative
        if learned is not None:
            score += learned(passage.article)
        tokens = found.by_tokens.get(passage.article)
        candidates.append(Candidate(passage, score, cosines.get(identity), words.get(identity), tokens))
    # Of equal scores the order must not depend on the order of the two rankings.
    return sorted(candidates, key=lambda each: (-each.score, each.passage.passage))


def best_of_articles(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The best passage of each article, in order."""
    seen: dict[str, Candidate] = {}
    for each in candidates:
        seen.setdefault(each.passage.article, each)
    return list(seen.values())


def _scores(found: Iterable[FoundPassage], passages: dict[str, PassageDocument]) -> dict[str, float]:
    scores: dict[str, float] = {}
    for each in found:
        identity = f"{each.passage.article}@{each.passage.version}#{each.passage.number}"
        passages[identity] = each.passage
        scores[identity] = each.score
    return scores
