"""What a detector says of one step."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Arrays of shape (keys,), in the order of `SpikeDetector.keys` when the step was judged.

    `score` is 0 while `learning`; a key fires when its score exceeds the rule's `z_count`, so scores compare between
    keys. `z_count` and `z_ratio` are the two parts of it (`z_ratio` is infinite where there is no total). `widths` are
    the numbers of windows that were summed and `windows`, of shape (widths, keys), says which of the sums fired.
    `expected` is the mean of this step's count.
    """

    start_ms: int
    index: Mapping[str, int]
    firing: Bools
    expected: Floats
    score: Floats
    learning: Bools
    z_count: Floats
    z_ratio: Floats
    widths: tuple[int, ...]
    windows: Bools

    def __len__(self) -> int:
        return len(self.firing)
