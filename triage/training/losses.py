"""Losses of the heads over texts with partial labels."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from triage.training.batches import Batch
from triage.training.encode import IGNORED

EXCLUDED = -1e4
"""Logit of a tag that a corpus cannot contain: its probability is zero and so is its gradient."""
LABEL_SMOOTHING = 0.05


def class_weights(labels: Iterable[int], classes: int, *, least: float = 0.3, most: float = 3.0) -> Tensor:
    """[classes] weights by the inverse square root of frequency, averaging 1 over the texts.

    The plain inverse would let a class of fifty texts outweigh one of fifteen thousand text by text, and its
    noise with it; the root balances and stays calm.
    """
    counts = torch.bincount(torch.tensor([label for label in labels if label != IGNORED]), minlength=classes).float()
    typical = counts[counts > 0].log().mean().exp()
    weights = (typical / counts.clamp(min=1.0)).sqrt().clamp(least, most)
    return weights / ((weights * counts).sum() / counts.sum().clamp(min=1.0)).clamp(min=1e-6)


def multi_task_loss(
    logits: Sequence[Tensor], batch: Batch, intent_weights: Tensor, sentiment_weights: Tensor
) -> dict[str, Tensor]:
    """Scalar loss of each head that the batch has labels for; a head without labels is not in the result."""
    intent_logits, sentiment_logits, entity_logits = logits
    losses = {}
    if (batch.intent != IGNORED).any():
        losses["intent"] = cross_entropy(
            intent_logits.float(),
            batch.intent,
            weight=intent_weights,
            ignore_index=IGNORED,
            label_smoothing=LABEL_SMOOTHING,
        )
    if (batch.sentiment != IGNORED).any():
        losses["sentiment"] = cross_entropy(
            sentiment_logits.float(), batch.sentiment, weight=sentiment_weights, ignore_index=IGNORED
        )
    if (batch.tags != IGNORED).any():
        losses["entities"] = entity_loss(entity_logits.float(), batch.tags, batch.allowed_tags)
    return losses


def entity_loss(logits: Tensor, tags: Tensor, allowed_tags: Tensor) -> Tensor:
    """Cross-entropy over [batch, seq, n_tags] logits, each text within the tags its corpus knows.

    A corpus that never tags products says "not a person, organization or location" where it says O. With the
    product tags left out of its softmax it says just that, and a product name keeps the product logit that
    other corpora gave it.
    """
    kept = logits.masked_fill(~allowed_tags.unsqueeze(1), EXCLUDED)
    return cross_entropy(kept.flatten(0, 1), tags.flatten(), ignore_index=IGNORED)
