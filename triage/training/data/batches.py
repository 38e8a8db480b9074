"""Groups encoded texts of similar length into padded batches within a budget of tokens."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from triage.training.data.encode import Encoded
from triage.training.data.labels import IGNORED

_WINDOW = 2_048
"""Texts that are sorted by length together."""


@dataclass(frozen=True)
class Batch:
    """Tensors of one training step: token ids, label ids and masks.

    `allowed_tags` are the tags that the text was annotated for; `entity_rows` marks texts with annotated entities.
    """

    input_ids: Tensor  # [batch, seq] int64
    attention_mask: Tensor  # [batch, seq] int64
    intent: Tensor  # [batch] int64, IGNORED where unknown
    sentiment: Tensor  # [batch] int64, IGNORED where unknown
    tags: Tensor  # [batch, seq] int64, IGNORED where unknown
    allowed_tags: Tensor  # [batch, n_tags] bool
    entity_rows: Tensor  # [batch] bool
    aspects: Tensor  # [batch, n_aspects] int64, IGNORED where unknown


def plan_batches(lengths: Sequence[int], token_budget: int, seed: int | None) -> list[list[int]]:
    """Indices of the texts of each batch; a batch has at most `token_budget` tokens, padding included.

    `lengths` [texts] are in tokens. Texts are sorted by length only within windows, which mixes the texts of a batch
    and still needs little padding. With a seed the batches are shuffled. A text longer than the budget is a batch of
    its own.
    """
    plan: list[list[int]] = []
    for first in range(0, len(lengths), _WINDOW):
        window = sorted(range(first, min(first + _WINDOW, len(lengths))), key=lambda index: lengths[index])
        batch: list[int] = []
        for index in window:
            if batch and (len(batch) + 1) * lengths[index] > token_budget:
                plan.append(batch)
                batch = []
            batch.append(index)
        if batch:
            plan.append(batch)
    if seed is not None:
        random.Random(seed).shuffle(plan)  # noqa: S311 - no secret
    return plan


def collate(rows: Sequence[Encoded], pad_id: int) -> Batch:
    """Make the batch of the texts `rows`: tensors padded to the longest text with `pad_id`."""
    longest = max(len(row.ids) for row in rows)

    def padded(values: Sequence[int], fill: int) -> list[int]:
        return [*values, *[fill] * (longest - len(values))]

    return Batch(
        input_ids=torch.tensor([padded(row.ids, pad_id) for row in rows]),
        attention_mask=torch.tensor([padded([1] * len(row.ids), 0) for row in rows]),
        intent=torch.tensor([row.intent for row in rows]),
        sentiment=torch.tensor([row.sentiment for row in rows]),
        tags=torch.tensor([padded(row.tags or [], IGNORED) for row in rows]),
        allowed_tags=torch.tensor([row.allowed_tags for row in rows]),
        entity_rows=torch.tensor([row.tags is not None for row in rows]),
        aspects=torch.tensor([row.aspects for row in rows], dtype=torch.int64).reshape(len(rows), -1),
    )
