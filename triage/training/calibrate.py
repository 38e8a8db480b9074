"""Temperatures and thresholds, fitted on held-out texts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import TrainingError
from triage.training.checkpoint import Checkpoint
from triage.training.corpus import Corpus
from triage.training.encode import IGNORED, Encoded, encode, load_tokenizer
from triage.training.examples import Example
from triage.training.export import Calibration
from triage.training.losses import EXCLUDED
from triage.training.validation import predict

TEXTS_PER_SOURCE = 400
FLAGGED = 0.10
"""At most this share of held-out texts is flagged as of low confidence."""
DOUBTFUL = 0.6
"""Flagged texts have the right label at most this often."""
_LOWEST, _HIGHEST = 0.25, 4.0


def calibrate(checkpoint: Checkpoint, corpus: Corpus, max_tokens: int = 128) -> Calibration:
    """Fit each head on the validation texts of `corpus`, each source weighing the same.

    Raises TrainingError if a head has no validation text.
    """
    examples = [example for texts in corpus.validation.values() for example in _some(texts)]
    tokenizer = load_tokenizer(str(checkpoint.tokenizer), max_tokens)
    rows = list(encode(examples, tokenizer, checkpoint.taxonomy))
    sources = np.array([example.source for example in examples])
    pad_id = checkpoint.model.encoder.config.pad_token_id
    outputs = predict(checkpoint.model, rows, pad_id, bf16=False)
    temperature, low_confidence = {}, {}
    for head, logits in (("intent", outputs.intent.numpy()), ("sentiment", outputs.sentiment.numpy())):
        labels = np.array([getattr(row, head) for row in rows])
        known = labels != IGNORED
        if not known.any():
            raise TrainingError(f"no validation text has a label for {head}; add some to the own texts")
        weights = source_weights(sources[known])
        temperature[head] = fit_temperature(logits[known], labels[known], weights)
        low_confidence[head] = fit_threshold(logits[known] / temperature[head], labels[known], weights)
    pairs = [_tokens(logits.numpy(), row) for logits, row in zip(outputs.entities, rows, strict=True) if row.tags]
    if not pairs:
        raise TrainingError("no validation text has entities; add some to the own texts")
    temperature["entities"] = fit_temperature(
        np.concatenate([logits for logits, _ in pairs]), np.concatenate([labels for _, labels in pairs])
    )
    return Calibration(temperature, low_confidence)


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


def as_dict(calibration: Calibration) -> dict[str, Any]:
    return {
        "temperature": dict(calibration.temperature),
        "low_confidence": dict(calibration.low_confidence),
    }


def _some(examples: Sequence[Example]) -> Sequence[Example]:
    stride = max(1, len(examples) // TEXTS_PER_SOURCE)
    return examples[::stride][:TEXTS_PER_SOURCE]


def _tokens(logits: NDArray[np.float32], row: Encoded) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    labels = np.array(row.tags)
    known = labels != IGNORED
    allowed = np.array(row.allowed_tags)
    return np.where(allowed, logits, EXCLUDED)[known], labels[known]


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # type: ignore[no-any-return]


def _loss(
    logits: NDArray[np.float32], labels: NDArray[np.int64], weights: NDArray[np.float64], temperature: float
) -> float:
    return float(-(_log_softmax(logits / temperature)[np.arange(len(labels)), labels] * weights).sum())
