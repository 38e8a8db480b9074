"""Result of the spike detector for one closed window, for all keys at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Scores of all keys in one closed window, and which of them fire.

    Arrays are of shape (keys,), in the order of `SpikeDetector.keys` at that step; `index` has the position of each
    key. `score` is 0 while `learning`; a key fires when its score exceeds `threshold`, which all keys of a step share.
    `z_count` and `z_ratio` are its two parts, for the count and for its share of all records (`z_ratio` is infinite
    without a total). `widths` are the numbers of windows in each sum, and `windows`, of shape (widths, keys), is true
    for the sums that fired. `expected` is the expected mean of this step's count.
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
    threshold: float

    def __len__(self) -> int:
        return len(self.firing)
