"""Logs one line when a worker's lag exceeds a bound, and one when it is low again."""

from triage.logging import get_logger

log = get_logger("triage.worker")


class LagLog:
    """Compares the number of records that wait in a worker's partitions with `bound`; 0: nothing is logged.

    The end is logged at half the bound, so that a lag near the bound is not logged repeatedly.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._above = False

    def update(self, lag: int, partitions: int) -> None:
        """Record the current lag, in records over all `partitions` of this worker."""
        if self._bound and not self._above and lag > self._bound:
            self._above = True
            log.warning(
                "lag_above_bound", records=lag, bound=self._bound, partitions=partitions,
                fix="triage top shows where; more workers, up to one per partition, or a faster model",
            )  # fmt: skip
        elif self._above and lag <= self._bound // 2:
            self._above = False
            log.info("lag_below_bound", records=lag, bound=self._bound)
