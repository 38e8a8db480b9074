"""The interface that every runtime implements: a loaded graph and the logits that it returns."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Logits(NamedTuple):
    """What the graph returns for a batch, float32; `aspect` None where the model has no such head."""

    intent: NDArray[np.float32]  # [batch, intents]
    sentiment: NDArray[np.float32]  # [batch, 3]
    entity: NDArray[np.float32]  # [batch, seq, tags]; [tokens, tags] once padding is taken out
    aspect: NDArray[np.float32] | None = None  # [batch, aspects, 4]

    def first(self, rows: int) -> "Logits":
        """Those of the first texts: the rows behind them were computed to fill a shape."""
        if rows == len(self.intent):
            return self
        aspect = None if self.aspect is None else self.aspect[:rows]
        return Logits(self.intent[:rows], self.sentiment[:rows], self.entity[:rows], aspect)


class Session(Protocol):
    """A graph loaded on a device; `run` may be called from several threads at once."""

    runtime: str  # name and version
    device: str  # cpu or cuda
    precision: str  # fp32, fp16, bf16, int8
    threads: int  # of the CPU, for all streams together
    streams: int  # calls that are worth making side by side
    batch_tokens: int  # budget of a call that suits it
    widths: tuple[int, ...]  # the only lengths of rows to give it, ascending; empty: any

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        """Logits of one padded batch, both inputs [batch, seq]. Blocks; raises ModelError if the runtime fails."""
        ...
