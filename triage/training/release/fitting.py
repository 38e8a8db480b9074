"""What calibration fits to logits and labels: temperatures, what they depend on, and thresholds."""

import numpy as np
from numpy.typing import NDArray

from triage.errors import TrainingError
from triage.inference.calibration import REFERENCE_TOKENS, Scaling, softmax
from triage.training.data.labels import IGNORED
from triage.training.evaluation.aspect_scoring import aspect_scores, decide

FLAGGED = 0.10
"""At most this share of held-out texts is flagged as of low confidence."""
DOUBTFUL = 0.6
"""Flagged texts have the right label at most this often."""
PENALTY = 1e-3
"""Of the squares of what refines a temperature: without evidence it stays one number."""
_LOWEST, _HIGHEST = 0.25, 4.0


def fit_scaling(
    logits: NDArray[np.float32],
    labels: NDArray[np.int64],
    tokens: NDArray[np.int64],
    chinese: NDArray[np.bool_],
    weights: NDArray[np.float64],
    intents: NDArray[np.float64] | None = None,
) -> tuple[float, Scaling]:
    """Temperature and what it depends on, minimizing the weighted negative log-likelihood of `labels`.

    log T is linear in log(tokens), in whether the text is Chinese and, where `intents` [texts, intents] are given, in
    their probabilities, with a small penalty on the slopes.
    """
    from scipy.optimize import minimize

    mixed = bool(chinese.any()) and not bool(chinese.all())
    features = np.column_stack(
        [
            np.ones(len(labels)),
            np.log(tokens / REFERENCE_TOKENS),
            chinese.astype(float) if mixed else np.zeros(len(labels)),
            *([] if intents is None else intents.T),
        ]
    )

    def loss(slopes: NDArray[np.float64]) -> float:
        divided = logits / np.exp(features @ slopes).clip(_LOWEST, _HIGHEST)[:, None]
        likely = _log_softmax(divided)[np.arange(len(labels)), labels]
        return float(-(likely * weights).sum() + PENALTY * (slopes[1:] ** 2).sum())

    found = [round(value, 4) for value in minimize(loss, np.zeros(features.shape[1]), method="L-BFGS-B").x.tolist()]
    return round(float(np.exp(found[0])), 4), Scaling(length=found[1], chinese=found[2], by_intent=found[3:])


def fit_aspects(
    logits: NDArray[np.float32], states: NDArray[np.int64], sources: NDArray[np.str_]
) -> tuple[float, float]:
    """Temperature of the aspect head, and the probability of presence with the best mean F1 over the sources.

    `logits` are [texts, aspects, 4], `states` [texts, aspects] with IGNORED where nobody looked. Raises TrainingError
    if nobody looked anywhere.
    """
    looked = states != IGNORED
    if not looked.any():
        raise TrainingError("no validation text has aspects; add some to the own texts")
    temperature = fit_temperature(logits[looked], states[looked])
    scores = softmax(logits / temperature)
    best = (0.0, 0.5)
    for threshold in np.arange(0.2, 0.81, 0.05).round(2).tolist():
        guess = decide(scores, threshold)
        figures = [
            aspect_scores(states[chosen], guess[chosen])["f1"]
            for source in np.unique(sources)
            if looked[chosen := sources == source].any()
        ]
        best = max(best, (float(np.mean(figures)), threshold))
    return temperature, best[1]


def source_weights(sources: NDArray[np.str_]) -> NDArray[np.float64]:
    """[n] weights that sum to 1, the same for each source: the easiest pack must not set the confidence of all."""
    _, index, counts = np.unique(sources, return_inverse=True, return_counts=True)
    return 1.0 / (counts[index] * len(counts))


def fit_temperature(
    logits: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> float:
    """The T > 0 that minimizes the negative log-likelihood of `labels` [n] under softmax(logits [n, classes] / T).

    Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2. The loss is unimodal in T: a golden
    section over log T finds it.
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
    """The highest probability below which labels are doubtful: right at most DOUBTFUL of the time.

    It flags at most FLAGGED of the texts, and none (0.0) where even the least certain are mostly right.
    """
    weights = np.full(len(labels), 1 / len(labels)) if weights is None else weights
    confidence = np.exp(_log_softmax(logits)).max(axis=1)
    order = np.argsort(confidence)
    ranked, share = confidence[order], np.cumsum(weights[order])
    right = np.cumsum((weights * (logits.argmax(axis=1) == labels))[order])
    good = np.flatnonzero((share <= FLAGGED) & (right <= DOUBTFUL * share))
    if not good.size:
        return 0.0
    last = int(good[-1])
    # Between two texts, so that "below the threshold" takes in the last doubtful one.
    return round(float(ranked[last] + ranked[min(last + 1, len(ranked) - 1)]) / 2, 4)


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # type: ignore[no-any-return]


def _loss(
    logits: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64], temperature: float
) -> float:
    return float(-(_log_softmax(logits / temperature)[np.arange(len(labels)), labels] * weights).sum())
