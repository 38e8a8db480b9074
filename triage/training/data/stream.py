"""Provides the batches of a run by step number, so that a resumed run sees the batches of an uninterrupted one."""

from collections.abc import Callable, Iterator, Sequence

from triage.training.data.batches import Batch, collate, plan_batches
from triage.training.data.corpus import Corpus
from triage.training.data.encode import Encoded
from triage.training.data.examples import Example

Encode = Callable[[Sequence[Example]], list[Encoded]]
Augment = Callable[[Sequence[Example], int], Sequence[Example]]
"""(examples of an epoch, its seed) to the examples with some of them augmented."""


class BatchStream:
    """Batches of consecutive epochs, sampled and shuffled by the seed."""

    def __init__(
        self,
        corpus: Corpus,
        encode: Encode,
        pad_id: int,
        token_budget: int,
        seed: int,
        augment: Augment | None = None,
    ) -> None:
        self._corpus, self._encode, self._pad_id, self._budget, self._seed = corpus, encode, pad_id, token_budget, seed
        self._augment = augment
        first = self._draw(0)
        self.steps_per_epoch = len(self._plan(first, 0))
        self.intents = [row.intent for row in first]
        """Label ids of the first epoch's texts, for class weights."""
        self.sentiments = [row.sentiment for row in first]
        self._next = 0
        self._batches = self._epoch(first, 0, 0)

    def batch(self, step: int) -> Batch:
        """The batch of the training step number `step`.

        Fast if steps are requested in order; any other step samples and encodes its epoch again.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        if step != self._next or (position == 0 and step > 0):
            self._batches = self._epoch(self._draw(epoch), epoch, position)
        self._next = step + 1
        return next(self._batches)

    def _draw(self, epoch: int) -> list[Encoded]:
        examples = self._corpus.epoch(self._epoch_seed(epoch))
        return self._encode(examples if self._augment is None else self._augment(examples, self._epoch_seed(epoch)))

    def _plan(self, rows: Sequence[Encoded], epoch: int) -> list[list[int]]:
        return plan_batches([len(row.ids) for row in rows], self._budget, seed=self._epoch_seed(epoch))

    def _epoch(self, rows: Sequence[Encoded], epoch: int, position: int) -> Iterator[Batch]:
        plan = self._plan(rows, epoch)
        for index in range(position, self.steps_per_epoch):
            # Every epoch has the length of the first: samples of capped sources differ by a few batches.
            yield collate([rows[row] for row in plan[index % len(plan)]], self._pad_id)

    def _epoch_seed(self, epoch: int) -> int:
        return self._seed * 1_000 + epoch
