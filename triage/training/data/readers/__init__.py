"""Readers of the datasets: one function per file layout, selected by `reader` in sources.yaml."""

from collections.abc import Callable, Iterable
from typing import Any

from triage.training.data.examples import Example
from triage.training.data.readers.aspects import read_opinions, read_triplets
from triage.training.data.readers.labelled import read_labelled
from triage.training.data.readers.tagged import read_tagged

Reader = Callable[[str, list[dict[str, Any]], dict[str, Any]], Iterable[Example]]
"""(source name, rows, entry of sources.yaml) to examples. Raises TrainingError for a label that is not mapped."""

READERS: dict[str, Reader] = {
    "labelled": read_labelled,
    "triplets": read_triplets,
    "opinions": read_opinions,
    "tagged": read_tagged,
}

__all__ = ["READERS", "Reader"]
