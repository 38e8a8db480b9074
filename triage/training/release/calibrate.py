"""Calibrates a checkpoint on validation texts: temperatures, their slopes, and thresholds."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from triage.errors import TrainingError
from triage.inference.calibration import is_chinese, probabilities
from triage.training.data.corpus import Corpus
from triage.training.data.encode import Encoded, encode, load_tokenizer
from triage.training.data.examples import Example
from triage.training.data.labels import IGNORED
from triage.training.loop.checkpoint import Checkpoint
from triage.training.loop.losses import EXCLUDED_LOGIT
from triage.training.loop.validation import Outputs, predict
from triage.training.release.export import Calibration
from triage.training.release.fitting import fit_aspects, fit_scaling, fit_temperature, fit_threshold, source_weights

TEXTS_PER_SOURCE = 600


def calibrate(checkpoint: Checkpoint, corpus: Corpus, max_tokens: int = 512) -> Calibration:
    """Fit temperatures and thresholds of each head on the validation texts of `corpus`, cut at `max_tokens` tokens.

    Every data set counts the same, whatever its number of texts.

    Raises TrainingError if a head has no validation text.
    """
    examples = [example for texts in corpus.validation.values() for example in _sample(texts)]
    tokenizer = load_tokenizer(str(checkpoint.tokenizer), max_tokens)
    rows = list(encode(examples, tokenizer, checkpoint.taxonomy))
    pad_id = checkpoint.model.encoder.config.pad_token_id
    return fit(predict(checkpoint.model, rows, pad_id, bf16=False), examples, rows)


def fit(outputs: Outputs, examples: Sequence[Example], rows: Sequence[Encoded]) -> Calibration:
    """Calibration from the model's logits (`outputs`) on labelled texts; `rows` are the encoded `examples`.

    Raises TrainingError for a head without labels. The intent is calibrated first: its probabilities refine the
    temperature of the sentiment.
    """
    sources = np.array([example.source for example in examples])
    tokens = np.array([len(row.ids) for row in rows])
    chinese = is_chinese([example.text for example in examples])
    temperature: dict[str, float] = {}
    low_confidence: dict[str, float] = {}
    scaling: dict[str, dict[str, Any]] = {}
    intents: NDArray[np.float64] | None = None
    for head, logits in (("intent", outputs.intent.numpy()), ("sentiment", outputs.sentiment.numpy())):
        labels = np.array([getattr(row, head) for row in rows])
        known = labels != IGNORED
        if not known.any():
            raise TrainingError(f"no validation text has a label for {head}; add labelled texts (--own)")
        weights = source_weights(sources[known])
        known_intents = None if intents is None else intents[known]
        temperature[head], slopes = fit_scaling(
            logits[known], labels[known], tokens[known], chinese[known], weights, known_intents
        )
        scores = probabilities(logits, temperature[head], slopes, tokens, chinese, intents)
        low_confidence[head] = fit_threshold(np.log(scores[known]), labels[known], weights)
        scaling[head] = {name: value for name, value in msgspec.structs.asdict(slopes).items() if value}
        if head == "intent":
            intents = scores
    pairs = [
        _tagged_tokens(logits.numpy(), row) for logits, row in zip(outputs.entities, rows, strict=True) if row.tags
    ]
    if not pairs:
        raise TrainingError("no validation text has entities; add labelled texts (--own)")
    temperature["entities"] = fit_temperature(
        np.concatenate([logits for logits, _ in pairs]), np.concatenate([labels for _, labels in pairs])
    )
    if outputs.aspects is None:
        return Calibration(temperature, low_confidence, scaling)
    states = np.array([row.aspects for row in rows])
    temperature["aspects"], threshold = fit_aspects(outputs.aspects.numpy(), states, sources)
    return Calibration(temperature, low_confidence, scaling, threshold)


def as_dict(calibration: Calibration) -> dict[str, Any]:
    """The calibration as JSON, for info.json of a checkpoint."""
    return {
        "temperature": dict(calibration.temperature),
        "low_confidence": dict(calibration.low_confidence),
        "scaling": {head: dict(found) for head, found in calibration.scaling.items()},
        "aspect_threshold": calibration.aspect_threshold,
    }


def _sample(examples: Sequence[Example]) -> Sequence[Example]:
    """At most 600 examples, evenly spaced."""
    stride = max(1, len(examples) // TEXTS_PER_SOURCE)
    return examples[::stride][:TEXTS_PER_SOURCE]


def _tagged_tokens(logits: NDArray[np.float32], row: Encoded) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits [tokens, tags] and tags [tokens] of the annotated tokens of a text."""
    labels = np.array(row.tags)
    known = labels != IGNORED
    allowed = np.array(row.allowed_tags)
    return np.where(allowed, logits, EXCLUDED_LOGIT)[known], labels[known]
