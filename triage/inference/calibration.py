"""Turns logits into calibrated probabilities, vectorised over a batch.

p = softmax(logits / T + bias), where log T = log temperature + length * log(tokens / 32) + chinese (for Chinese texts)
+ by_intent . p(intent).

Temperature and bias are those of Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2. One
temperature for all texts is not enough: the model is overconfident to a different degree in short posts, long reviews
and requests. Length, script and intent tell these apart.
"""

import re
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

REFERENCE_TOKENS = 32
_HAN = re.compile("[\u4e00-\u9fff]")


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refines the temperature of one head by properties of the text, and adds a bias [labels] to the scaled logits.

    `length` is the slope over log(tokens / 32), `chinese` is added for Chinese texts, `by_intent` [intents] is
    multiplied by the intent probabilities. An empty `by_intent` or `bias` has no effect.
    """

    length: float = 0.0
    chinese: float = 0.0
    by_intent: list[float] = []
    bias: list[float] = []


PLAIN = Scaling()


def probabilities(
    logits: NDArray[np.float32],
    temperature: float,
    scaling: Scaling = PLAIN,
    tokens: NDArray[np.int64] | None = None,
    chinese: NDArray[np.bool_] | None = None,
    intents: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Calibrated probabilities [texts, labels] of `logits` [texts, labels].

    `tokens` [texts] counts all tokens of a text, special ones included; `chinese` [texts] comes from `is_chinese`;
    `intents` [texts, intents] are probabilities. A term of `scaling` whose argument is None has no effect.
    """
    scaled = logits.astype(np.float64) / temperature
    if scaling.length and tokens is not None:
        scaled *= (tokens / REFERENCE_TOKENS)[:, None] ** -scaling.length
    if scaling.chinese and chinese is not None:
        scaled *= np.where(chinese, np.exp(-scaling.chinese), 1.0)[:, None]
    if scaling.by_intent and intents is not None:
        scaled *= np.exp(-(intents @ np.asarray(scaling.by_intent)))[:, None]
    if scaling.bias:
        scaled += np.asarray(scaling.bias)
    return softmax(scaled)


def is_chinese(texts: Sequence[str]) -> NDArray[np.bool_]:
    """True [texts] for each text that contains a Chinese character."""
    return np.array([_HAN.search(text) is not None for text in texts], bool)


def softmax(scaled: NDArray[np.floating]) -> NDArray[np.float64]:
    """Softmax over the last axis, in float64 so that rows sum to 1."""
    powers = scaled.astype(np.float64)
    powers -= powers.max(axis=-1, keepdims=True)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers
