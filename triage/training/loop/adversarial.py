"""Fast gradient method: learn from texts whose embeddings are pushed towards the wrong answer."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def adversarial_step(embeddings: nn.Parameter, strength: float, loss: Callable[[], Tensor]) -> None:
    """Add the gradient of `loss` at disturbed word embeddings to the gradients that stand already.

    Miyato et al. 2017, Adversarial Training Methods for Semi-Supervised Text Classification, equation 5: the step is
    `strength` * g / ||g||, taken on the embedding table. The table is as before afterwards, whatever happens.
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
