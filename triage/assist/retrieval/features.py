"""Figures of a ranking from which the confidence is computed."""

import math
import statistics
from collections.abc import Sequence

from triage.assist.retrieval.fusion import Candidate
from triage.assist.retrieval.words import content_words, share_of

_TAIL = slice(2, 20)
_LEAST_SPREAD = 0.004
# The usual distance to the next article, where there is none.
_ALONE_MARGIN = 0.05
# Not the length of the question: of the questions that were fitted on, those without an answer are shorter, and those
# with one are answered right as often whatever their length.
WORD_FEATURES = ("words_top", "words_margin", "overlap", "overlap_margin", "rare_missing", "chinese")
FUSED_FEATURES = (
    "cosine", "margin", "stands_out", "agree", "same_language", "intent", *WORD_FEATURES,
)  # fmt: skip
# Few: with all of the others the confidence was worse on questions that it was not fitted on.
LATE_FEATURES = ("score_margin", "tokens_stand_out", "chinese")


def features_of(
    question: str, language: str, articles: Sequence[Candidate], intent: str | None = None
) -> dict[str, float]:
    """Features of a ranking of articles, best first, which must not be empty.

    `intent` is the question's by the model, None if it is not known.
    """
    top, others = articles[0], articles[1:]
    words = content_words(question)
    first_words = max((each.words or 0.0) for each in articles)
    overlap = _overlap(words, top)
    values = {
        "words_top": math.log1p((top.words or 0.0) / (1 + math.sqrt(len(words)))),
        "words_margin": ((top.words or 0.0) - max((each.words or 0.0 for each in others), default=0.0))
        / (first_words or 1.0),
        "overlap": overlap,
        "overlap_margin": overlap - max((_overlap(words, each) for each in others[:5]), default=0.0),
        "rare_missing": _rare_missing(words, articles),
        "chinese": float(language == "zh"),
    }
    cosines = [each.cosine for each in articles if each.cosine is not None]
    if not cosines:
        return values
    ordered = sorted(cosines, reverse=True)
    own = top.cosine if top.cosine is not None else ordered[-1]
    rival = max((each.cosine for each in others if each.cosine is not None), default=own - 0.05)
    tail = ordered[_TAIL] or ordered
    spread = max(statistics.pstdev(tail), _LEAST_SPREAD)
    values |= _of_tokens(articles)
    known = intent is not None and top.passage.intent
    return values | {
        "cosine": own,
        "margin": own - rival,
        "stands_out": min((own - statistics.fmean(tail)) / spread, 15.0),
        "agree": float((top.words or 0.0) == first_words and own == ordered[0]),
        "same_language": float(top.passage.language == language),
        "intent": (1.0 if intent in top.passage.intent else -1.0) if known else 0.0,
    }


def _of_tokens(articles: Sequence[Candidate]) -> dict[str, float]:
    """Features of the similarity token by token; {} where nothing was compared so."""
    compared = sorted((each.tokens for each in articles if each.tokens is not None), reverse=True)
    if not compared:
        return {}
    own = articles[0].tokens if articles[0].tokens is not None else compared[-1]
    return {
        "tokens_stand_out": own - statistics.fmean(compared[_TAIL] or compared),
        "score_margin": articles[0].score - articles[1].score if len(articles) > 1 else _ALONE_MARGIN,
    }


def _overlap(words: set[str], candidate: Candidate) -> float:
    return share_of(words, _text(candidate))


def _rare_missing(words: set[str], articles: Sequence[Candidate]) -> float:
    """Share of the question's words that no article of the ranking has in its best passage."""
    if not words:
        return 1.0
    known: set[str] = set()
    for each in articles[:20]:
        known |= content_words(_text(each))
    return len(words - known) / len(words)


def _text(candidate: Candidate) -> str:
    passage = candidate.passage
    return f"{passage.title} {passage.heading} {passage.text}"
