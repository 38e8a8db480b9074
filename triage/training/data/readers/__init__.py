"""Readers of the training packs: one function a file shape, chosen by name in sources.yaml."""

from collections.abc import Callable, Iterable
from typing import Any

from triage.training.data.examples import Example
from triage.training.data.readers.aspects import read_triplets
from triage.training.data.readers.labelled import read_labelled
from triage.training.data.readers.opinions import read_opinions
from triage.training.data.readers.tagged import read_tagged

Reader = Callable[[str, list[dict[str, Any]], dict[str, Any]], Iterable[Example]]

READERS: dict[str, Reader] = {
    "labelled": read_labelled,
    "triplets": read_triplets,
    "opinions": read_opinions,
    "tagged": read_tagged,
}
"""By name: (source, rows, entry of sources.yaml) to examples. Raises TrainingError for an unknown label."""

__all__ = ["READERS", "Reader"]
