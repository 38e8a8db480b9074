"""Computes the losses of the heads on texts with partial labels, of distillation, and of adversarial examples."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div, log_softmax

from triage.training.data.batches import Batch
from triage.training.data.labels import HEADS, IGNORED

EXCLUDED_LOGIT = -1e4
"""Logit of a tag that a corpus does not annotate: its probability and its gradient are zero."""
ASPECT_WEIGHTS = (0.5, 1.5, 1.5, 1.5)
"""Class weights of ASPECT_STATES: nine of ten cells are absent, and unweighted the head would predict nothing else."""


def class_weights(labels: Iterable[int], classes: int, *, least: float = 0.3, most: float = 3.0) -> Tensor:
    """Class weights [classes], the inverse square root of the frequency, with a mean of 1 over the texts.

    `labels` are label ids, IGNORED ones are skipped; weights are first limited to `least` and `most`. The plain
    inverse would weight a text of a class of 50 texts 300 times as much as a text of a class of 15,000, and amplify
    its noise.
    """
    counts = torch.bincount(torch.tensor([label for label in labels if label != IGNORED]), minlength=classes).float()
    geometric_mean = counts[counts > 0].log().mean().exp()
    weights = (geometric_mean / counts.clamp(min=1.0)).sqrt().clamp(least, most)
    return weights / ((weights * counts).sum() / counts.sum().clamp(min=1.0)).clamp(min=1e-6)


@dataclass(frozen=True)
class Objective:
    """The training objective: class weights, label smoothing, and the weight of each head.

    A head that is not in `head_weights` has weight 1; a head with weight 0 is not trained.
    """

    intent_weights: Tensor
    sentiment_weights: Tensor
    intent_smoothing: float = 0.0
    sentiment_smoothing: float = 0.0
    head_weights: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, logits: Sequence[Tensor], batch: Batch) -> dict[str, Tensor]:
        """Weighted scalar loss of each head that the batch has labels for; other heads are not in the result."""
        losses = {}
        if self._is_trained("intent", batch.intent):
            losses["intent"] = cross_entropy(
                logits[0].float(),
                batch.intent,
                weight=self.intent_weights,
                ignore_index=IGNORED,
                label_smoothing=self.intent_smoothing,
            )
        if self._is_trained("sentiment", batch.sentiment):
            losses["sentiment"] = cross_entropy(
                logits[1].float(),
                batch.sentiment,
                weight=self.sentiment_weights,
                ignore_index=IGNORED,
                label_smoothing=self.sentiment_smoothing,
            )
        if self._is_trained("entities", batch.tags):
            losses["entities"] = entity_loss(logits[2].float(), batch.tags, batch.allowed_tags)
        if len(logits) > 3 and self._is_trained("aspects", batch.aspects):
            losses["aspects"] = cross_entropy(
                logits[3].float().flatten(0, 1),
                batch.aspects.flatten(),
                weight=torch.tensor(ASPECT_WEIGHTS),
                ignore_index=IGNORED,
            )
        return {head: loss * self.head_weights.get(head, 1.0) for head, loss in losses.items()}

    def _is_trained(self, head: str, labels: Tensor) -> bool:
        return self.head_weights.get(head, 1.0) > 0 and bool((labels != IGNORED).any())


def entity_loss(logits: Tensor, tags: Tensor, allowed_tags: Tensor) -> Tensor:
    """Cross-entropy of logits [batch, seq, tags] with `tags` [batch, seq], each text within its `allowed_tags`.

    In a corpus that never tags products, the tag O means only "not a person, organization or location". Its texts are
    therefore trained with a softmax without the product tags (`allowed_tags` [batch, tags]), so that they do not lower
    the product logits that other corpora train.
    """
    masked = logits.masked_fill(~allowed_tags.unsqueeze(1), EXCLUDED_LOGIT)
    return cross_entropy(masked.flatten(0, 1), tags.flatten(), ignore_index=IGNORED)


def distillation_loss(
    student: Sequence[Tensor], teacher: Sequence[Tensor], attention_mask: Tensor, temperature: float
) -> Tensor:
    """KL divergence of the softened distributions of teacher and student, summed over the heads that both have.

    `student` and `teacher` are logits in the order of HEADS, `attention_mask` is [batch, seq].

    Hinton et al. 2015, Distilling the Knowledge in a Neural Network, section 2: the factor T^2 keeps the gradients
    comparable over temperatures. Padding tokens are left out.
    """
    total = student[0].new_zeros((), dtype=torch.float32)
    tokens = attention_mask.bool()
    for head, student_logits, teacher_logits in zip(HEADS, student, teacher, strict=False):
        entities = head == "entities"
        predicted = student_logits[tokens] if entities else student_logits
        target = teacher_logits[tokens] if entities else teacher_logits
        total = total + kl_div(
            log_softmax(predicted.float().flatten(0, -2) / temperature, dim=-1),
            log_softmax(target.float().flatten(0, -2) / temperature, dim=-1),
            reduction="batchmean",
            log_target=True,
        )
    return total * temperature**2


def adversarial_step(embeddings: nn.Parameter, strength: float, loss: Callable[[], Tensor]) -> None:
    """Fast gradient method: add the gradients of `loss` at perturbed word embeddings to the present gradients.

    Miyato et al. 2017, Adversarial Training Methods for Semi-Supervised Text Classification, equation 5: the
    perturbation is `strength` * g / ||g||, applied to the embedding table. The table is restored afterwards, also if
    `loss` raises.
    """
    if embeddings.grad is None:
        return
    gradient = embeddings.grad
    norm = gradient.norm()
    if not torch.isfinite(norm) or norm == 0:
        return
    before = embeddings.detach().clone()
    try:
        with torch.no_grad():
            embeddings.add_(gradient, alpha=strength / float(norm))
        loss().backward()
    finally:
        with torch.no_grad():
            embeddings.copy_(before)
