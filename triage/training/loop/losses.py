"""Losses of the heads over texts with partial labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from triage.training.data.batches import Batch
from triage.training.data.labels import HEADS, IGNORED

EXCLUDED = -1e4
"""Logit of a tag that a corpus cannot contain: its probability is zero and so is its gradient."""


ASPECT_WEIGHTS = (0.5, 1.5, 1.5, 1.5)
"""Of ASPECT_STATES: nine in ten cells are absent, and would be all that the head learns to say."""


def class_weights(labels: Iterable[int], classes: int, *, least: float = 0.3, most: float = 3.0) -> Tensor:
    """[classes] weights by the inverse square root of frequency, averaging 1 over the texts.

    The plain inverse would let a class of fifty texts outweigh one of fifteen thousand text by text, and its
    noise with it; the root balances and stays calm.
    """
    counts = torch.bincount(torch.tensor([label for label in labels if label != IGNORED]), minlength=classes).float()
    typical = counts[counts > 0].log().mean().exp()
    weights = (typical / counts.clamp(min=1.0)).sqrt().clamp(least, most)
    return weights / ((weights * counts).sum() / counts.sum().clamp(min=1.0)).clamp(min=1e-6)


@dataclass(frozen=True)
class Objective:
    """What the heads are taught by: class weights, smoothing, and how much each head counts.

    A head that is absent from `head_weights` counts 1; one with weight 0 is not taught at all.
    """

    intent_weights: Tensor
    sentiment_weights: Tensor
    intent_smoothing: float = 0.0
    sentiment_smoothing: float = 0.0
    head_weights: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, logits: Sequence[Tensor], batch: Batch) -> dict[str, Tensor]:
        """Weighted scalar loss of each head that the batch has labels for; a head without is not in the result."""
        losses = {}
        if self._taught("intent", batch.intent):
            losses["intent"] = cross_entropy(
                logits[0].float(),
                batch.intent,
                weight=self.intent_weights,
                ignore_index=IGNORED,
                label_smoothing=self.intent_smoothing,
            )
        if self._taught("sentiment", batch.sentiment):
            losses["sentiment"] = cross_entropy(
                logits[1].float(),
                batch.sentiment,
                weight=self.sentiment_weights,
                ignore_index=IGNORED,
                label_smoothing=self.sentiment_smoothing,
            )
        if self._taught("entities", batch.tags):
            losses["entities"] = entity_loss(logits[2].float(), batch.tags, batch.allowed_tags)
        if len(logits) > 3 and self._taught("aspects", batch.aspects):
            losses["aspects"] = cross_entropy(
                logits[3].float().flatten(0, 1),
                batch.aspects.flatten(),
                weight=torch.tensor(ASPECT_WEIGHTS),
                ignore_index=IGNORED,
            )
        return {head: loss * self.head_weights.get(head, 1.0) for head, loss in losses.items()}

    def _taught(self, head: str, labels: Tensor) -> bool:
        return self.head_weights.get(head, 1.0) > 0 and bool((labels != IGNORED).any())


def entity_loss(logits: Tensor, tags: Tensor, allowed_tags: Tensor) -> Tensor:
    """Cross-entropy over [batch, seq, n_tags] logits, each text within the tags its corpus knows.

    A corpus that never tags products says "not a person, organization or location" where it says O. With the
    product tags left out of its softmax it says just that, and a product name keeps the product logit that
    other corpora gave it.
    """
    kept = logits.masked_fill(~allowed_tags.unsqueeze(1), EXCLUDED)
    return cross_entropy(kept.flatten(0, 1), tags.flatten(), ignore_index=IGNORED)


def distillation_loss(
    student: Sequence[Tensor], teacher: Sequence[Tensor], attention_mask: Tensor, temperature: float
) -> Tensor:
    """KL of the teacher's softened labels to the student's, summed over the heads that both have, tokens unpadded.

    Hinton et al. 2015, Distilling the Knowledge in a Neural Network, section 2; the factor T^2 keeps gradients alike.
    """
    total = student[0].new_zeros((), dtype=torch.float32)
    tokens = attention_mask.bool()
    for head, ours, theirs in zip(HEADS, student, teacher, strict=False):
        rows, wanted = (ours[tokens], theirs[tokens]) if head == "entities" else (ours, theirs)
        total = total + kl_div(
            log_softmax(rows.float().flatten(0, -2) / temperature, dim=-1),
            log_softmax(wanted.float().flatten(0, -2) / temperature, dim=-1),
            reduction="batchmean",
            log_target=True,
        )
    return total * temperature**2
