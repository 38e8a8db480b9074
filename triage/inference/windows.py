"""Joins the windows in which a long text was read into one result per text.

Intent and sentiment are weighted means of the windows' logits. A letter of complaint reports for a page and says in two
sentences what is wrong: a plain mean would drown these, so a window weighs more the more clearly it is for or against
something, and the last window, which holds the request, a little more than the others. A risk or an
aspect counts if any window mentions it, so their logits are the largest. Entity tags come from the window in which a
token is farther from the edge, so that the tokens of a text are in one sequence again and a name on a border is whole.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.inference.calibration import softmax
from triage.inference.runtime import Logits
from triage.inference.tokenization import Tokenized

POLARITY_WEIGHT = 3.0
"""Logarithm of the weight of a window for each unit between its logits of positive and negative.

Chosen on 48 own long texts, of which one sentence says what is the matter: with it .65 have that sentence's sentiment,
with a plain mean .31, and .33 if the text is cut at 256 tokens.
"""
LAST_WEIGHT = 0.5
"""Logarithm of how much more the last window weighs than another one."""
_OUTSIDE = 0
_BARRED = np.float32(1e4)


class JoinedTexts(NamedTuple):
    """Results of texts, in order, without padding: what `Heads.decode` takes.

    `tokens` [texts] are the tokens of the entity logits, `scale_tokens` [texts] those of the longest window.
    """

    logits: Logits
    tokens: NDArray[np.int64]
    scale_tokens: NDArray[np.int64]
    truncated: NDArray[np.bool_]
    offsets: Callable[[int], NDArray[np.int64]]


def join_windows(logits: Logits, order: NDArray[np.int64], tokenized: Tokenized, poles: tuple[int, int]) -> JoinedTexts:
    """Join the logits of windows to results of texts.

    `logits` are without padding; row i is that of the window `order[i]` of `tokenized`. `poles` are the columns of
    the negative and the positive sentiment.
    """
    rank = np.argsort(order)
    ends = np.cumsum(tokenized.lengths[order])
    starts = ends - tokenized.lengths[order]
    firsts = np.flatnonzero(np.diff(tokenized.texts, prepend=-1))
    lasts = np.append(firsts[1:], len(rank))
    intent, sentiment = logits.intent[rank], logits.sentiment[rank]
    pooled_intent, pooled_sentiment = intent[firsts], sentiment[firsts]
    entities, tokens = [], []
    for text, (first, last) in enumerate(zip(firsts.tolist(), lasts.tolist(), strict=True)):
        if last - first > 1:
            weights = _weights(sentiment[first:last], tokenized.lengths[first:last], poles)
            pooled_intent[text] = weights @ intent[first:last]
            pooled_sentiment[text] = weights @ sentiment[first:last]
        count = 0
        for window in range(first, last):
            row = rank[window]
            kept = slice(*_kept(tokenized, window, first, last))
            part = logits.entity[starts[row] : ends[row]][kept]
            if window > first and tokenized.truncated[window - 1]:
                part = part.copy()
                part[:1, _OUTSIDE] = _BARRED  # no name reaches over what was left out
            entities.append(part)
            count += len(part)
        tokens.append(count)
    risk = None if logits.risk is None else np.maximum.reduceat(logits.risk[rank], firsts)
    aspect = None if logits.aspect is None else _strongest(logits.aspect[rank], firsts, lasts)
    return JoinedTexts(
        Logits(pooled_intent, pooled_sentiment, np.concatenate(entities), aspect, risk),
        np.array(tokens, np.int64),
        np.maximum.reduceat(tokenized.lengths, firsts),
        np.logical_or.reduceat(tokenized.truncated, firsts),
        lambda text: _offsets(tokenized, int(firsts[text]), int(lasts[text])),
    )


def joined_offsets(tokenized: Tokenized) -> NDArray[np.int64]:
    """Start and end [tokens, 2] of the tokens of a single text, the only one in `tokenized`.

    Tokens that two windows share occur once.
    """
    return _offsets(tokenized, 0, len(tokenized.lengths))


def _weights(sentiment: NDArray[np.float32], lengths: NDArray[np.int64], poles: tuple[int, int]) -> NDArray[np.float64]:
    """Weight of each window of a text, with the sum 1."""
    strength = POLARITY_WEIGHT * np.abs(sentiment[:, poles[0]] - sentiment[:, poles[1]]).astype(np.float64)
    strength[-1] += LAST_WEIGHT
    weights = np.exp(strength - strength.max()) * np.sqrt(lengths)
    return weights / weights.sum()  # type: ignore[no-any-return]


def _kept(tokenized: Tokenized, window: int, first: int, last: int) -> tuple[int, int]:
    """Tokens [start, stop) of a window that no neighbour has farther from its edge, without special ones inside."""
    start, stop = 0, int(tokenized.lengths[window])
    if window > first:
        shared = int(tokenized.shared[window - 1])
        start = 1 + shared - shared // 2
    if window + 1 < last:
        stop -= 1 + int(tokenized.shared[window]) // 2
    return start, stop


def _offsets(tokenized: Tokenized, first: int, last: int) -> NDArray[np.int64]:
    parts = [tokenized.offsets(window)[slice(*_kept(tokenized, window, first, last))] for window in range(first, last)]
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _strongest(aspect: NDArray[np.float32], firsts: NDArray[np.int64], lasts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Logits [texts, aspects, 4] from those [windows, aspects, 4]: of the window that mentions it most clearly."""
    columns = np.arange(aspect.shape[1])
    absent = softmax(aspect)[..., 0]
    found = [
        aspect[first + absent[first:last].argmin(axis=0), columns]
        for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True)
    ]
    return np.stack(found)
