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

    Arrays are of shape (keys,), in the order of `SpikeDetector.keys` at that step; `index` has each key's position.
    `score` is 0 while `learning`; a key fires when its score exceeds `threshold`, which is the same for all keys of a
    step. `z_count` scores the count and `z_ratio` its share of all records (infinite without a total); `score` combines
    them. `widths` are the numbers of windows in each sum; `windows`, of shape (widths, keys), is true for the sums that
    fired. `expected` is the mean expected for this step's count.
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
