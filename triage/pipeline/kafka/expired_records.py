"""Reports raw records that retention deleted before a worker read them."""

from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition

log = get_logger("triage.feed")


class ExpiredRecords:
    """Counts raw records that were deleted before this worker read them.

    A worker uses one instance for its whole life, on its own thread only.
    """

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics or Metrics()

    def report(self, partition: Partition, next_offset: int, first: int) -> None:
        """Count and log the deleted records of a partition: those from `next_offset` to before `first`.

        `next_offset` is the offset to be read next, `first` that of the oldest record that exists. The range may
        include transaction markers, so the count is an upper bound.
        """
        if first <= next_offset:
            return
        topic, number = partition
        self._metrics.records_expired.labels(topic).inc(first - next_offset)
        log.error(
            "records_expired_unread",
            partition=f"{topic}/{number}",
            records=first - next_offset,
            offsets=f"{next_offset} to {first - 1}",
            effect="they were deleted by the topic's retention and are lost here",
            fix="raise retention.ms of the topic while workers are down or slow; ask the source for the time again",
        )
