"""Interface of the runtimes: a loaded graph and the logits that it returns."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Logits(NamedTuple):
    """Outputs of the graph for a batch, float32, before softmax.

    `aspect` and `risk` are None if the model has no such head. Shapes: `intent` [batch, intents], `sentiment` [batch,
    3], `entity` [batch, seq, tags], `aspect` [batch, aspects, 4], `risk` [batch, risks].
    """

    intent: NDArray[np.float32]  # [batch, intents]
    sentiment: NDArray[np.float32]  # [batch, 3]
    entity: NDArray[np.float32]  # [batch, seq, tags]; [tokens, tags] after padding was removed
    aspect: NDArray[np.float32] | None = None  # [batch, aspects, 4]
    risk: NDArray[np.float32] | None = None  # [batch, risks]

    def first(self, rows: int) -> "Logits":
        """Logits of the first `rows` texts; the other rows only pad the batch."""
        if rows == len(self.intent):
            return self
        aspect, risk = (None if output is None else output[:rows] for output in (self.aspect, self.risk))
        return Logits(self.intent[:rows], self.sentiment[:rows], self.entity[:rows], aspect, risk)


OUTPUTS = ("intent_logits", "sentiment_logits", "entity_logits")
"""Outputs of every graph, in the order of `Logits`."""
OPTIONAL_OUTPUTS = ("aspect_logits", "risk_logits")
"""Outputs that a graph may lack, in the order of `Logits`."""


class Session(Protocol):
    """A graph loaded on a device; `run` may be called from several threads at the same time."""

    runtime: str  # name and version
    device: str  # cpu or cuda
    precision: str  # fp32, fp16, bf16, int8
    threads: int  # of the CPU, for all streams together
    streams: int  # calls that the session computes at the same time
    batch_tokens: int  # recommended tokens per call
    widths: tuple[int, ...]  # the row lengths to use, ascending; empty: any

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        """Logits of one padded batch; both inputs are [batch, seq]. Blocks; raises ModelError if the runtime fails."""
        ...
