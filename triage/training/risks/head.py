"""Defines and trains the risk head with NumPy, on hidden states that were read before."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.training.risks.states import TokenStates

SIZE = 128
_BATCH = 64
_SMOOTHING = 0.015
_WARM_UP = 60
_DROPOUT = 0.3
_DECAY = 0.05
_LONGEST_STEP = 1.0
_MOMENTS = (0.9, 0.999)
_TINY = 1e-8

Weights = dict[str, NDArray[np.float32]]
"""`hidden.weight` [size, inputs], `hidden.bias` [size], `attention.weight` [risks, size], `score.weight` [risks, size]
and `score.bias` [risks]."""


class Examples(NamedTuple):
    """States of texts with targets and weights [texts, risks]; a weight of 0 trains nothing."""

    states: TokenStates
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


class _Pass(NamedTuple):
    """Values of the forward pass that the gradients need, with the tokens of all texts in one row."""

    hidden: NDArray[np.float32]
    shares: NDArray[np.float32]
    scores: NDArray[np.float32]
    logits: NDArray[np.float32]


def new_head(inputs: int, risks: int, rng: np.random.Generator) -> Weights:
    """Random weights of a head: one small hidden layer per token, and for each risk an attention over the tokens.

    A risk stands in one clause of a text: each token gets a score for each risk, and the attention chooses whose score
    counts.
    """
    shapes = {"hidden.weight": (SIZE, inputs), "attention.weight": (risks, SIZE), "score.weight": (risks, SIZE)}
    drawn = {
        name: rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(np.sqrt(shape[1]))
        for name, shape in shapes.items()
    }
    return drawn | {"hidden.bias": np.zeros(SIZE, np.float32), "score.bias": np.zeros(risks, np.float32)}


def train_head(
    sets: Sequence[Examples],
    *,
    epochs: int = 10,
    learning_rate: float = 3e-3,
    seed: int = 0,
    report: Callable[[str], None] | None = None,
) -> Weights:
    """Train on all sets together, with AdamW and a rate that falls to a fiftieth."""
    rng = np.random.default_rng(seed)
    head = new_head(sets[0].states.values.shape[1], sets[0].targets.shape[1], rng)
    moments = {name: (np.zeros_like(each), np.zeros_like(each)) for name, each in head.items()}
    steps = epochs * sum(-(-len(examples.targets) // _BATCH) for examples in sets)
    step = 0
    for epoch in range(epochs):
        total = 0.0
        batches = [(number, rows) for number, each in enumerate(sets) for rows in _batches(len(each.targets), rng)]
        for place in rng.permutation(len(batches)):
            number, rows = batches[place]
            rate = learning_rate * min(1.0, (step + 1) / _WARM_UP) * max(0.02, 1 - step / steps)
            step += 1
            values, starts = tokens_of(sets[number].states, rows)
            targets = sets[number].targets[rows] * (1 - 2 * _SMOOTHING) + _SMOOTHING
            kept = (rng.random((len(values), SIZE), np.float32) >= _DROPOUT).astype(np.float32) / np.float32(
                1 - _DROPOUT
            )
            loss, gradients = loss_and_gradients(head, values, starts, targets, sets[number].weights[rows], kept)
            _update(head, moments, gradients, rate, step)
            total += loss
        if report is not None:
            report(f"epoch {epoch + 1} of {epochs}: loss {total / len(batches):.4f}")
    return head


def predict(head: Weights, states: TokenStates) -> NDArray[np.float32]:
    """Logits [texts, risks]."""
    rows = np.arange(len(states.lengths))
    parts = [rows[first : first + _BATCH] for first in range(0, len(rows), _BATCH)]
    return np.concatenate([_forward(head, *tokens_of(states, part)).logits for part in parts])


def tokens_of(states: TokenStates, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """States [tokens, inputs] of some texts, one after the other, and where each begins."""
    lengths = states.lengths[rows]
    ends = np.cumsum(lengths)
    starts = ends - lengths
    places = np.arange(ends[-1]) + np.repeat(states.starts[:-1][rows] - starts, lengths)
    return states.values[places].astype(np.float32), starts


def loss_and_gradients(
    head: Weights,
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    targets: NDArray[np.float32],
    weights: NDArray[np.float32],
    kept: NDArray[np.float32] | None = None,
) -> tuple[float, Weights]:
    """The weighted cross entropy, summed over risks, mean over texts, and its gradients by the weights of the head.

    `kept` [tokens, size] are the factors of dropout.
    """
    found = _forward(head, values, starts, kept)
    losses = np.logaddexp(0.0, found.logits) - targets * found.logits
    lengths = np.diff([*starts, len(values)])
    by_text = weights * (1 / (1 + np.exp(-found.logits)) - targets) / len(targets)
    by_token = np.repeat(by_text, lengths, axis=0) * found.shares
    by_attention = by_token * (found.scores - np.repeat(found.logits, lengths, axis=0))
    by_hidden = by_token @ head["score.weight"] + by_attention @ head["attention.weight"]
    if kept is not None:
        by_hidden *= kept
    by_hidden *= found.hidden > 0
    gradients = {
        "hidden.weight": by_hidden.T @ values,
        "hidden.bias": by_hidden.sum(axis=0),
        "attention.weight": by_attention.T @ found.hidden,
        "score.weight": by_token.T @ found.hidden,
        "score.bias": by_token.sum(axis=0),
    }
    return float((losses * weights).sum() / len(targets)), gradients


def _forward(
    head: Weights,
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    kept: NDArray[np.float32] | None = None,
) -> _Pass:
    hidden = np.maximum(values @ head["hidden.weight"].T + head["hidden.bias"], 0)
    if kept is not None:
        hidden *= kept
    lengths = np.diff([*starts, len(values)])
    attention = hidden @ head["attention.weight"].T
    attention = np.exp(attention - np.repeat(np.maximum.reduceat(attention, starts), lengths, axis=0))
    shares = attention / np.repeat(np.add.reduceat(attention, starts), lengths, axis=0)
    scores = hidden @ head["score.weight"].T + head["score.bias"]
    return _Pass(hidden, shares, scores, np.add.reduceat(shares * scores, starts))


def _update(
    head: Weights,
    moments: dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]],
    gradients: Weights,
    rate: float,
    step: int,
) -> None:
    """One step of AdamW, in place, with the gradients cut to a common length of 1."""
    length = float(np.sqrt(sum(float(np.square(each).sum()) for each in gradients.values())))
    scale = min(1.0, _LONGEST_STEP / (length + 1e-6))
    first, second = _MOMENTS
    for name, gradient in gradients.items():
        mean, square = moments[name]
        mean *= first
        mean += (1 - first) * scale * gradient
        square *= second
        square += (1 - second) * np.square(scale * gradient)
        corrected = np.sqrt(square / (1 - second**step)) + _TINY
        head[name] *= 1 - rate * _DECAY
        head[name] -= rate / (1 - first**step) * mean / corrected


def _batches(count: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    order = rng.permutation(count)
    return [order[first : first + _BATCH] for first in range(0, count, _BATCH)]
