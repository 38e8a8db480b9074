"""Logits to probabilities that can be believed, vectorised over a batch.

softmax(logits / T + bias), with log T = log temperature + length * log(tokens / 32) + chinese for Chinese texts
+ by_intent * p(intent). Guo et al. 2017, On Calibration of Modern Neural Networks, has the one temperature and the
vector (section 4.2); one temperature cannot serve a curt post, a long review and a request, of which a model is sure to
different degrees, and what a text asks for says which of these it is.
"""

import re
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

REFERENCE_TOKENS = 32
_HAN = re.compile("[\u4e00-\u9fff]")


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a head's temperature depends on besides itself, and a bias [labels] added after it.

    `by_intent` [intents] and `bias` may be empty: then they play no part.
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
    """[texts, labels] logits to probabilities.

    `tokens` [texts] counts all tokens of a text, special ones included; `intents` [texts, intents] are probabilities.
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
    """[texts] whether each has a Chinese character."""
    return np.array([_HAN.search(text) is not None for text in texts], bool)


def softmax(scaled: NDArray[np.floating]) -> NDArray[np.float64]:
    """Over the last axis, in float64 so that a row sums to 1."""
    powers = scaled.astype(np.float64)
    powers -= powers.max(axis=-1, keepdims=True)
    np.exp(powers, out=powers)
    powers /= powers.sum(axis=-1, keepdims=True)
    return powers
