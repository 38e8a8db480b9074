"""Fits the weights of the fusion and the confidence on measured questions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.assist.evaluation import metrics
from triage.assist.evaluation.evaluate import Measured, ranking_of
from triage.assist.evaluation.questions import LabelledQuestion
from triage.assist.retrieval.features import FUSED_FEATURES, LATE_FEATURES, WORD_FEATURES, features_of
from triage.assist.retrieval.fusion import best_of_articles, fuse
from triage.assist.retrieval.parameters import ConfidenceModel, FusionWeights, Parameters
from triage.assist.retrieval.similarity import Centres, fit_centres, with_exact_scores
from triage.elastic.passages import FoundPassages
from triage.errors import ConfigError

_WORDS = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4)
_LANGUAGE = (0.0, 0.02, 0.05, 0.1, 0.15)
_PLAIN = tuple(FusionWeights(words, language) for words in _WORDS for language in _LANGUAGE)
# In steps of the same share: with tokens all three count.
_LATE = tuple(
    FusionWeights(words, language, tokens)
    for tokens in (0.0, 0.5, 1.0, 2.0, 4.0)
    for words in (0.0, 0.05, 0.1, 0.2, 0.3, 0.4)
    for language in (0.0, 0.05, 0.15)
)
_RIDGE = 1.0
_LEAST = 30
_CALM = FusionWeights(words=0.1, language=0.05)


def fit(measured: Sequence[Measured], fitted: dict[str, Any]) -> Parameters:
    """Fit the weights of fusion and confidence on questions with and without an answer.

    `fitted` describes the questions. First the mean vectors, then each language's fusion, then the confidence. Raises
    ConfigError for too few questions.
    """
    answerable = sum(bool(each.question.articles) for each in measured)
    if answerable < _LEAST or len(measured) - answerable < _LEAST:
        raise ConfigError(f"--fit needs {_LEAST} questions with an article and {_LEAST} without, or more of both")
    centres = fit_centres(
        ((each.search.vector, each.language) for each in measured if each.search.vector is not None),
        (found.passage for each in measured for found in (*each.search.found.by_words, *each.search.found.by_vector)),
        _LEAST,
    )
    compared = [_compared(each, Centres.of(centres)) for each in measured]
    labelled = [each for each in compared if each.question.articles]
    late = [each for each in compared if each.found.by_tokens]
    draft = Parameters(
        _fusion(labelled, _PLAIN),
        _untrained(FUSED_FEATURES),
        _untrained(WORD_FEATURES),
        centres,
        fitted,
        _fusion([each for each in late if each.question.articles], _LATE) if len(late) == len(compared) else {},
    )
    with_vectors = [replace(each, found=replace(each.found, by_tokens={})) for each in compared if each.found.by_vector]
    without = [replace(each, found=replace(each.found, by_vector=[], by_tokens={})) for each in compared]
    return msgspec.structs.replace(
        draft,
        fused=_confidence(with_vectors, draft, FUSED_FEATURES),
        words=_confidence(without, draft, WORD_FEATURES),
        late=_confidence(late, draft, LATE_FEATURES) if draft.late_fusion else None,
    )


@dataclass(frozen=True)
class _Compared:
    """A measured question with the exact scores of its passages."""

    question: LabelledQuestion
    text: str
    language: str
    found: FoundPassages
    intent: str | None


def _compared(each: Measured, centres: Centres) -> _Compared:
    found = each.search.found
    if each.search.vector is not None and found.by_vector:
        encoder = found.by_vector[0].passage.encoder or ""
        found = with_exact_scores(found, each.search.vector, each.language, encoder, centres)
    return _Compared(each.question, each.text, each.language, found, each.intent)


def _fusion(labelled: Sequence[_Compared], tried: Sequence[FusionWeights]) -> dict[str, FusionWeights]:
    """Weights for all questions, and for each language that has enough."""
    fusion = {"": _weights(labelled, tried)}
    for language in sorted({each.language for each in labelled}):
        own = [each for each in labelled if each.language == language]
        if len(own) >= _LEAST:
            fusion[language] = _weights(own, tried)
    return fusion


def _weights(answerable: Sequence[_Compared], all_tried: Sequence[FusionWeights]) -> FusionWeights:
    """The weights with the best mean reciprocal rank of those that lose no first place to vectors alone.

    Of equal ones those nearest to usual ones.
    """

    def figures(weights: FusionWeights) -> tuple[float, float]:
        ranks = [
            metrics.rank_of(ranking_of(each.found, weights, each.language), each.question.articles)
            for each in answerable
        ]
        return sum(metrics.hits(ranks, 1)) / len(ranks), sum(metrics.reciprocal(ranks)) / len(ranks)

    alone = FusionWeights(words=0.0, language=0.0)
    tried = {weights: figures(weights) for weights in all_tried}
    first, reciprocal = tried[alone]
    kept = {weights: found for weights, found in tried.items() if found[0] >= first and found[1] >= reciprocal}

    def quality(weights: FusionWeights) -> tuple[float, float]:
        near = abs(weights.words - _CALM.words) + abs(weights.language - _CALM.language)
        return round(sum(kept[weights]), 4), -near

    return max(kept, key=quality)


def _confidence(measured: Sequence[_Compared], draft: Parameters, names: Sequence[str]) -> ConfidenceModel:
    rows, right = [], []
    for each in measured:
        weights = draft.weights(each.language, late=bool(each.found.by_tokens))
        articles = best_of_articles(fuse(each.found, weights, each.language))
        if articles:
            values = features_of(each.text, each.language, articles, each.intent)
            rows.append([values[name] for name in names])
            right.append(articles[0].passage.article in each.question.articles)
    return _logistic(np.array(rows), np.array(right, np.float64), names) if rows else _untrained(names)


def _logistic(rows: NDArray[np.float64], right: NDArray[np.float64], names: Sequence[str]) -> ConfidenceModel:
    """Logistic regression with a ridge, on standardized features."""
    from scipy.optimize import minimize

    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale < 1e-9] = 1.0
    data = (rows - mean) / scale

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = data @ values[:-1] + values[-1]
        chance = 1 / (1 + np.exp(-margin))
        value = np.logaddexp(0, margin).sum() - (right * margin).sum() + _RIDGE / 2 * (values[:-1] ** 2).sum()
        slope = np.append(data.T @ (chance - right) + _RIDGE * values[:-1], (chance - right).sum())
        return float(value), slope

    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B").x
    return ConfidenceModel(
        features=list(names),
        mean=[round(float(each), 6) for each in mean],
        scale=[round(float(each), 6) for each in scale],
        coefficients=[round(float(each), 4) for each in found[:-1]],
        intercept=round(float(found[-1]), 4),
    )


def _untrained(names: Sequence[str]) -> ConfidenceModel:
    zeros = [0.0] * len(names)
    return ConfidenceModel(list(names), zeros, [1.0] * len(names), zeros, 0.0)
