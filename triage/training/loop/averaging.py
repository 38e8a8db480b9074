"""Weight averages: over the steps of a run, and over checkpoints.

python -m triage.training.loop.averaging RUN[=SHARE] RUN[=SHARE] ... OUTPUT     # the mean of runs that began alike
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from triage.errors import TrainingError
from triage.training.loop.checkpoint import STAGE, Checkpoint, load_checkpoint, save_checkpoint
from triage.training.loop.run_folder import checkpoint_folder


class WeightAverage:
    """Exponential moving average of a model's weights (Polyak and Juditsky 1992; Izmailov et al. 2018).

    The decay starts low, min(decay, (1 + n) / (10 + n)) after n updates, so that the start is soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.weights = {name: value.detach().clone() for name, value in _learning(model)}

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def update(self, model: nn.Module) -> None:
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for name, value in _learning(model):
            self.weights[name].lerp_(value, 1 - decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """The model with the averaged weights inside the block, its own again after it."""
        own = {name: value.detach().clone() for name, value in _learning(model)}
        try:
            self._write(model, self.weights)
            yield
        finally:
            self._write(model, own)

    def state(self) -> dict[str, object]:
        return {"updates": self.updates, "weights": self.weights}

    def load(self, state: dict[str, object]) -> None:
        weights = state["weights"]
        assert isinstance(weights, dict)
        self.updates = int(str(state["updates"]))
        self.weights = weights

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _write(self, model: nn.Module, weights: dict[str, Tensor]) -> None:
        for name, value in _learning(model):
            value.copy_(weights[name])


def average_checkpoints(folders: Sequence[Path], shares: Sequence[float] | None = None) -> Checkpoint:
    """The weighted mean of checkpoints that began from the same weights, with the account of the first.

    A later one may lack a head of the first, such as aspects: that head stays as it is. Averaging a stage with the one
    it began from keeps what the stage would forget (Wortsman et al. 2022, Model soups; Ilharco et al. 2022, PAINT).
    Raises TrainingError if they do not fit each other.
    """
    if len(folders) < 2:
        raise TrainingError("an average needs at least two checkpoints")
    shares = shares or [1.0] * len(folders)
    if len(shares) != len(folders) or min(shares) < 0 or shares[0] == 0:
        raise TrainingError(
            f"{len(folders)} checkpoints need as many weights, none negative and the first not 0, not {list(shares)}"
        )
    first, *others = (load_checkpoint(folder) for folder in folders)
    mean = {name: value * shares[0] for name, value in first.model.state_dict().items()}
    totals = dict.fromkeys(mean, shares[0])
    for folder, other, share in zip(folders[1:], others, shares[1:], strict=True):
        if not _fits(other, first):
            raise TrainingError(f"{folder} has another shape or taxonomy than {folders[0]}; they have no average")
        for name, value in other.model.state_dict().items():
            mean[name].add_(value, alpha=share)
            totals[name] += share
    first.model.load_state_dict({name: value / totals[name] for name, value in mean.items()})
    accounts = [
        {key: other.info[key] for key in STAGE if key in other.info} | {"share": share / sum(shares)}
        for other, share in zip(others, shares[1:], strict=True)
    ]
    return replace(first, info={**first.info, "averaged_with": accounts})


def _fits(other: Checkpoint, first: Checkpoint) -> bool:
    """Whether `other` answers with labels of `first`, and every weight of it has its counterpart there."""
    shapes = {name: value.shape for name, value in first.model.state_dict().items()}
    aspects = other.taxonomy.aspects or first.taxonomy.aspects
    return replace(other.taxonomy, aspects=aspects) == first.taxonomy and all(
        shapes.get(name) == value.shape for name, value in other.model.state_dict().items()
    )


def _argument(text: str) -> tuple[Path, float]:
    """`RUN` or `RUN=SHARE`."""
    folder, _, share = text.rpartition("=")
    return (checkpoint_folder(Path(folder)), float(share)) if folder else (checkpoint_folder(Path(text)), 1.0)


def main(arguments: Sequence[str]) -> None:
    runs = [_argument(argument) for argument in arguments[:-1]]
    average = average_checkpoints([folder for folder, _ in runs], [share for _, share in runs])
    save_checkpoint(Path(arguments[-1]), average.model, average.taxonomy, average.tokenizer, average.info)


def _learning(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


if __name__ == "__main__":
    main(sys.argv[1:])
