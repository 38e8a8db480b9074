"""The contract of a stage."""

from typing import Protocol

from triage.pipeline.batch import Batch


class Stage(Protocol):
    """One step of the pipeline over a whole batch.

    `process` may block as long as its work takes. It changes the batch only when it has succeeded, so that the
    runner can call it again with the same batch after an `Unavailable`. A record that can never be processed
    becomes a dead letter in the batch; `InvalidRecord` never leaves a stage. Any other exception ends the worker:
    nothing was committed, so nothing is lost.
    """

    name: str

    def process(self, batch: Batch) -> None:
        """Move the batch one step on. Raises Unavailable when a dependency is absent or overloaded."""
        ...
