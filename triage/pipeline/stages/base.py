"""The interface of a stage, one step of the worker's processing of a batch.

Threads. A stage runs on one thread of the executor, `work` or `store`, for its whole life. It needs no locks for its
own state, and must not touch the source or the state of other stages.

State. While `process` runs, the batch belongs to the stage. It reads what the stages before it wrote and changes the
batch only once it has succeeded, so that the executor can call it again with the same batch.

Blocking. `process` may block as long as its work takes: the worker stays in its consumer group meanwhile. The watchdog
ends a process whose stage has not returned for `worker.stuck_after_s` + `worker.stuck_exit_s`.

Retries. The executor repeats a stage that raises Unavailable. A stage may retry within `process` as well, as the sink
does, but not without end.
"""

from typing import Protocol

from triage.pipeline.batch import Batch


class Stage(Protocol):
    """One step of the pipeline, applied to a whole batch.

    A record that can never be processed becomes a dead letter in the batch; a stage never raises `InvalidRecord`. Any
    exception except Unavailable ends the worker: nothing was committed, so nothing is lost.
    """

    name: str

    def process(self, batch: Batch) -> None:
        """Process all records of the batch and store the results in it.

        Raises Unavailable if a dependency is unreachable or overloaded: the executor then calls it again.
        """
        ...
