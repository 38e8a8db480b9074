"""The batches of a run, addressed by step: the same after a resume as without a stop."""

from collections.abc import Callable, Iterator, Sequence

from triage.training.data.batches import Batch, collate, plan_batches
from triage.training.data.corpus import Corpus
from triage.training.data.encode import Encoded
from triage.training.data.examples import Example

Encode = Callable[[Sequence[Example]], list[Encoded]]
Vary = Callable[[Sequence[Example], int], Sequence[Example]]
"""Varied copies of some examples of an epoch, from its seed."""


class BatchStream:
    """Epoch after epoch of a corpus, drawn and ordered by the seed."""

    def __init__(
        self, corpus: Corpus, encode: Encode, pad_id: int, token_budget: int, seed: int, vary: Vary | None = None
    ) -> None:
        self._corpus, self._encode, self._pad_id, self._budget, self._seed = corpus, encode, pad_id, token_budget, seed
        self._vary = vary
        first = self._draw(0)
        self.steps_per_epoch = len(self._plan(first, 0))
        self.intents = [row.intent for row in first]
        """Label ids of the first epoch's texts, for class weights."""
        self.sentiments = [row.sentiment for row in first]
        self._next = 0
        self._batches = self._epoch(first, 0, 0)

    def batch(self, step: int) -> Batch:
        """Batch of `step`; cheap when steps are asked for in order."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if step != self._next or (position == 0 and step > 0):
            self._batches = self._epoch(self._draw(epoch), epoch, position)
        self._next = step + 1
        return next(self._batches)

    def _draw(self, epoch: int) -> list[Encoded]:
        examples = self._corpus.epoch(self._epoch_seed(epoch))
        return self._encode(examples if self._vary is None else self._vary(examples, self._epoch_seed(epoch)))

    def _plan(self, rows: Sequence[Encoded], epoch: int) -> list[list[int]]:
        return plan_batches([len(row.ids) for row in rows], self._budget, seed=self._epoch_seed(epoch))

    def _epoch(self, rows: Sequence[Encoded], epoch: int, position: int) -> Iterator[Batch]:
        plan = self._plan(rows, epoch)
        for index in range(position, self.steps_per_epoch):
            # An epoch is as long as the first: capped sources differ by a few batches from draw to draw.
            yield collate([rows[row] for row in plan[index % len(plan)]], self._pad_id)

    def _epoch_seed(self, epoch: int) -> int:
        return self._seed * 1_000 + epoch
