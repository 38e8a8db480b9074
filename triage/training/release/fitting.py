"""Fits the parameters of the calibration to logits and labels: temperatures, their slopes, and thresholds."""

import numpy as np
from numpy.typing import NDArray

from triage.errors import TrainingError
from triage.inference.calibration import REFERENCE_TOKENS, Scaling, softmax
from triage.training.data.labels import IGNORED
from triage.training.evaluation.aspect_scoring import aspect_scores, predicted_states

MOST_FLAGGED = 0.10
"""Largest share of held-out texts that may be flagged as low confidence."""
MOST_ACCURATE = 0.6
"""Largest accuracy that the flagged texts may have."""
PENALTY = 1e-3
"""Weight of the squared slopes in the loss: without evidence the temperature stays constant."""
_LOWEST, _HIGHEST = 0.25, 4.0
"""Range of temperatures."""


def fit_scaling(
    logits: NDArray[np.float32],
    labels: NDArray[np.int64],
    tokens: NDArray[np.int64],
    chinese: NDArray[np.bool_],
    weights: NDArray[np.float64],
    intents: NDArray[np.float64] | None = None,
) -> tuple[float, Scaling]:
    """Temperature and slopes that minimize the weighted negative log-likelihood of `labels` [texts].

    log T is linear in log(tokens), in a 0/1 feature for Chinese texts and, if `intents` [texts, intents] are given,
    in the intent probabilities, with a small penalty on the squared slopes. `logits` are [texts, classes]; `tokens`
    (numbers), `chinese` and `weights` are [texts]. T is limited to .25 to 4.
    """
    from scipy.optimize import minimize

    both_languages = bool(chinese.any()) and not bool(chinese.all())
    features = np.column_stack(
        [
            np.ones(len(labels)),
            np.log(tokens / REFERENCE_TOKENS),
            chinese.astype(float) if both_languages else np.zeros(len(labels)),
            *([] if intents is None else intents.T),
        ]
    )

    def loss(slopes: NDArray[np.float64]) -> float:
        scaled = logits / np.exp(features @ slopes).clip(_LOWEST, _HIGHEST)[:, None]
        log_likelihood = _log_softmax(scaled)[np.arange(len(labels)), labels]
        return float(-(log_likelihood * weights).sum() + PENALTY * (slopes[1:] ** 2).sum())

    found = [round(value, 4) for value in minimize(loss, np.zeros(features.shape[1]), method="L-BFGS-B").x.tolist()]
    return round(float(np.exp(found[0])), 4), Scaling(length=found[1], chinese=found[2], by_intent=found[3:])


def fit_aspects(
    logits: NDArray[np.float32], states: NDArray[np.int64], sources: NDArray[np.str_]
) -> tuple[float, float]:
    """Temperature of the aspect head, and the threshold of presence with the best mean F1 over the sources.

    `logits` are [texts, aspects, 4]; `states` [texts, aspects] are IGNORED where not annotated; `sources` [texts] are
    names. Raises TrainingError if no text was annotated for aspects.
    """
    annotated = states != IGNORED
    if not annotated.any():
        raise TrainingError("no validation text has aspects; add labelled texts (--own)")
    temperature = fit_temperature(logits[annotated], states[annotated])
    scores = softmax(logits / temperature)
    best = (0.0, 0.5)
    for threshold in np.arange(0.2, 0.81, 0.05).round(2).tolist():
        guess = predicted_states(scores, threshold)
        f1_by_source = [
            aspect_scores(states[chosen], guess[chosen])["f1"]
            for source in np.unique(sources)
            if annotated[chosen := sources == source].any()
        ]
        best = max(best, (float(np.mean(f1_by_source)), threshold))
    return temperature, best[1]


def source_weights(sources: NDArray[np.str_]) -> NDArray[np.float64]:
    """Weights [n] of texts that sum to 1 and give each source the same total, so that no single dataset dominates."""
    _, index, counts = np.unique(sources, return_inverse=True, return_counts=True)
    return 1.0 / (counts[index] * len(counts))


def fit_temperature(
    logits: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """The T that minimizes the negative log-likelihood of `labels` [n] under softmax(logits [n, classes] / T).

    Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2. `weights` [n] are equal by default. The
    loss is unimodal in T, so a golden section search over log T finds the minimum. T is limited to .25 to 4.
    """
    weights = np.full(len(labels), 1 / len(labels)) if weights is None else weights
    ratio = (np.sqrt(5.0) - 1) / 2
    low, high = np.log(_LOWEST), np.log(_HIGHEST)
    for _ in range(40):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _loss(logits, labels, weights, np.exp(left)) < _loss(logits, labels, weights, np.exp(right)):
            high = right
        else:
            low = left
    return round(float(np.exp((low + high) / 2)), 4)


def fit_threshold(
    logits: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """The highest threshold that flags only unreliable predictions: at most 60 % of the flagged labels are correct.

    The threshold flags at most 10 % of the texts. It is 0.0, and flags none, if even the least confident predictions
    are more often correct. `logits` are [n, classes], `labels` and `weights` [n].
    """
    weights = np.full(len(labels), 1 / len(labels)) if weights is None else weights
    confidence = np.exp(_log_softmax(logits)).max(axis=1)
    order = np.argsort(confidence)
    ranked, share = confidence[order], np.cumsum(weights[order])
    correct = np.cumsum((weights * (logits.argmax(axis=1) == labels))[order])
    possible = np.flatnonzero((share <= MOST_FLAGGED) & (correct <= MOST_ACCURATE * share))
    if not possible.size:
        return 0.0
    last = int(possible[-1])
    # Halfway between two texts, so that "below the threshold" includes the last flagged one.
    return round(float(ranked[last] + ranked[min(last + 1, len(ranked) - 1)]) / 2, 4)


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # type: ignore[no-any-return]


def _loss(
    logits: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64], temperature: float
) -> float:
    return float(-(_log_softmax(logits / temperature)[np.arange(len(labels)), labels] * weights).sum())
