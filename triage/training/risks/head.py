"""Defines and trains the risk head in torch, on hidden states that were read before."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu

from triage.training.risks.states import TokenStates

SIZE = 128
_BATCH = 64
_BARRED = -1e4
_SMOOTHING = 0.015
_WARM_UP = 60


class RiskHead(nn.Module):
    """One small hidden layer per token, and for each risk an attention over the tokens (see `AspectHead`).

    A risk stands in one clause of a text, so the attention of a risk chooses the tokens whose scores count.
    """

    def __init__(self, inputs: int, risks: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, SIZE)
        self.attention = nn.Linear(SIZE, risks, bias=False)
        self.score = nn.Linear(SIZE, risks)
        self.dropout = nn.Dropout(0.3)
        nn.init.zeros_(self.score.bias)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Logits [batch, risks] from states [batch, seq, inputs]; `mask` [batch, seq] is True for tokens."""
        hidden = self.dropout(relu(self.hidden(states)))
        weights = self.attention(hidden).masked_fill(~mask.unsqueeze(-1), _BARRED).softmax(dim=1)
        return (weights * self.score(hidden)).sum(dim=1)


class Examples(NamedTuple):
    """States of texts with targets and weights [texts, risks]; a weight of 0 trains nothing."""

    states: TokenStates
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]


def train_head(
    sets: Sequence[Examples],
    *,
    epochs: int = 10,
    learning_rate: float = 3e-3,
    seed: int = 0,
    report: Callable[[str], None] | None = None,
) -> RiskHead:
    """Train a risk head on all sets together, with batches of similar lengths.

    `report` is called with a line of text after each epoch.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = RiskHead(sets[0].states.values.shape[1], sets[0].targets.shape[1])
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate, weight_decay=0.05)
    tensors = [torch.from_numpy(examples.states.values) for examples in sets]
    steps = epochs * sum(-(-len(examples.targets) // _BATCH) for examples in sets)
    step = 0
    for epoch in range(epochs):
        batches = [(number, rows) for number, each in enumerate(sets) for rows in _batches(each.states.lengths, rng)]
        total = 0.0
        for place in rng.permutation(len(batches)):
            number, rows = batches[place]
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * min(1.0, (step + 1) / _WARM_UP) * max(0.02, 1 - step / steps)
            step += 1
            states, mask = padded(tensors[number], sets[number].states, rows)
            targets = torch.from_numpy(sets[number].targets[rows]) * (1 - 2 * _SMOOTHING) + _SMOOTHING
            losses = binary_cross_entropy_with_logits(head(states, mask), targets, reduction="none")
            loss = (losses * torch.from_numpy(sets[number].weights[rows])).sum(dim=1).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(head.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
        if report is not None:
            report(f"epoch {epoch + 1} of {epochs}: loss {total / len(batches):.4f}")
    head.eval()
    return head


def predict(head: RiskHead, states: TokenStates) -> NDArray[np.float32]:
    """Logits [texts, risks] of the risk head for texts with these states."""
    tensor = torch.from_numpy(states.values)
    order = np.argsort(states.lengths, kind="stable")
    head.eval()
    with torch.inference_mode():
        parts = [
            head(*padded(tensor, states, order[first : first + _BATCH])).numpy()
            for first in range(0, len(order), _BATCH)
        ]
    return np.concatenate(parts)[np.argsort(order)]


def padded(tensor: Tensor, states: TokenStates, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """States [rows, seq, inputs] float32 of the texts with the indices `rows`, and the mask [rows, seq] of tokens.

    `tensor` holds `states.values`, [tokens, inputs].
    """
    lengths = torch.from_numpy(states.lengths[rows])
    starts = torch.from_numpy(states.starts[:-1][rows])
    columns = torch.arange(int(lengths.max()))[None]
    mask = columns < lengths[:, None]
    places = torch.where(mask, starts[:, None] + columns, 0)
    return tensor[places.reshape(-1)].float().reshape(len(rows), -1, tensor.shape[1]), mask


def _batches(lengths: NDArray[np.int64], rng: np.random.Generator) -> list[NDArray[np.int64]]:
    order = rng.permutation(len(lengths))
    found = []
    for first in range(0, len(order), 16 * _BATCH):
        part = order[first : first + 16 * _BATCH]
        part = part[np.argsort(lengths[part], kind="stable")]
        found += [part[start : start + _BATCH] for start in range(0, len(part), _BATCH)]
    return found
