"""Averages weights: over the steps of a run, and over checkpoints.

`python -m triage.training.loop.averaging RUN[=SHARE] RUN[=SHARE] ... OUTPUT` writes the weighted mean of runs that
started from the same weights.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from triage.errors import TrainingError
from triage.training.data.files import checkpoint_folder
from triage.training.loop.checkpoint import STAGE_FIELDS, Checkpoint, load_checkpoint, save_checkpoint


class WeightAverage:
    """Exponential moving average of a model's trainable weights (Polyak and Juditsky 1992; Izmailov et al. 2018).

    The decay after n updates is min(decay, (1 + n) / (10 + n)): it starts low, so that the initial weights soon have
    little influence.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.weights = {name: value.detach().clone() for name, value in _trainable(model)}

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def update(self, model: nn.Module) -> None:
        """Add the current weights of the model to the average."""
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for name, value in _trainable(model):
            self.weights[name].lerp_(value, 1 - decay)

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Context manager: the model has the averaged weights inside the block, and its own again after it."""
        own = {name: value.detach().clone() for name, value in _trainable(model)}
        try:
            self._write(model, self.weights)
            yield
        finally:
            self._write(model, own)

    def state(self) -> dict[str, object]:
        """The averaged weights and the number of updates, to be saved and restored by `load`."""
        return {"updates": self.updates, "weights": self.weights}

    def load(self, state: dict[str, object]) -> None:
        """Continue from averaged weights and a number of updates, as the method `state` of an earlier run returned."""
        weights = state["weights"]
        assert isinstance(weights, dict)
        self.updates = int(str(state["updates"]))
        self.weights = weights

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _write(self, model: nn.Module, weights: dict[str, Tensor]) -> None:
        for name, value in _trainable(model):
            value.copy_(weights[name])


def average_checkpoints(folders: Sequence[Path], shares: Sequence[float] | None = None) -> Checkpoint:
    """The weighted mean of checkpoints that started from the same weights, with the info of the first.

    By default all have the same share. Further checkpoints may lack a head of the first, such as aspects: that head
    is taken from the first. The average of a stage with the stage it started from keeps what the stage would forget
    (Wortsman et al. 2022, Model soups; Ilharco et al. 2022, PAINT). Raises TrainingError if the checkpoints have
    different shapes or labels.
    """
    if len(folders) < 2:
        raise TrainingError("an average needs at least two checkpoints")
    shares = shares or [1.0] * len(folders)
    if len(shares) != len(folders) or min(shares) < 0 or shares[0] == 0:
        raise TrainingError(
            f"{len(folders)} checkpoints need as many shares, none negative and the first not 0, not {list(shares)}"
        )
    first, *others = (load_checkpoint(folder) for folder in folders)
    mean = {name: value * shares[0] for name, value in first.model.state_dict().items()}
    totals = dict.fromkeys(mean, shares[0])
    for folder, other, share in zip(folders[1:], others, shares[1:], strict=True):
        if not _is_compatible(other, first):
            raise TrainingError(f"{folder} has another shape or taxonomy than {folders[0]}; they cannot be averaged")
        for name, value in other.model.state_dict().items():
            mean[name].add_(value, alpha=share)
            totals[name] += share
    first.model.load_state_dict({name: value / totals[name] for name, value in mean.items()})
    stages = [
        {key: other.info[key] for key in STAGE_FIELDS if key in other.info} | {"share": share / sum(shares)}
        for other, share in zip(others, shares[1:], strict=True)
    ]
    return replace(first, info={**first.info, "averaged_with": stages})


def _is_compatible(other: Checkpoint, first: Checkpoint) -> bool:
    """True if `other` has the labels of `first`, with or without aspects, and weights of the same shapes."""
    shapes = {name: value.shape for name, value in first.model.state_dict().items()}
    aspects = other.taxonomy.aspects or first.taxonomy.aspects
    return replace(other.taxonomy, aspects=aspects) == first.taxonomy and all(
        shapes.get(name) == value.shape for name, value in other.model.state_dict().items()
    )


def _argument(text: str) -> tuple[Path, float]:
    """Checkpoint folder and share of an argument `RUN` or `RUN=SHARE`."""
    folder, _, share = text.rpartition("=")
    return (checkpoint_folder(Path(folder)), float(share)) if folder else (checkpoint_folder(Path(text)), 1.0)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m triage.training.loop.averaging", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN[=SHARE]", help="run or checkpoint, and its share [1]")
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="folder of the checkpoint to write")
    options = parser.parse_args(arguments)
    runs = [_argument(argument) for argument in options.runs]
    average = average_checkpoints([folder for folder, _ in runs], [share for _, share in runs])
    save_checkpoint(options.output, average.model, average.taxonomy, average.tokenizer, average.info)


def _trainable(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad)


if __name__ == "__main__":
    main(sys.argv[1:])
