"""Keeps partitions waiting at an unreadable batch while all others are read; retries at intervals."""

from collections.abc import Iterator

from triage.clock import Clock
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.runtime.health import Health
from triage.topics.unreadable import UnreadableBatch

log = get_logger("triage.feed")

_RETRY_S = 10.0


class UnreadablePartitions:
    """The assigned partitions that are blocked by a record batch that cannot be read.

    If a batch was damaged in transfer, or another broker has it undamaged, a later attempt succeeds. Otherwise the
    partition waits until the operator skips the batch with the CLI command `command`. A worker, or an alerter's
    consumer, uses one instance for its whole life, on the reading thread only.
    """

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics | None = None,
        health: Health | None = None,
        command: str = "triage worker skip",
    ) -> None:
        self._command = command
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._health = health or Health(clock)
        self._batches: dict[Partition, UnreadableBatch] = {}
        self._retry_at: dict[Partition, float] = {}

    def __iter__(self) -> Iterator[Partition]:
        return iter(list(self._batches))

    def report(self, batch: UnreadableBatch) -> None:
        """Record that a partition is blocked by this batch, for the first time or again."""
        partition = (batch.topic, batch.partition)
        if self._batches.get(partition) != batch:
            log.error(
                "unreadable_batch",
                position=batch.position,
                content=batch.content,
                error=batch.reason,
                effect="this partition waits, all others are read",
                fix=self._fix(batch),
            )
        self._batches[partition] = batch
        self._retry_at[partition] = self._clock.monotonic() + _RETRY_S
        self._metrics.unreadable_batch_offset.labels(*partition).set(batch.offset)
        self._health.waiting_for(_name(partition), f"{batch}; {self._fix(batch)}")

    def _fix(self, batch: UnreadableBatch) -> str:
        return f"to pass it as a dead letter: {self._command} {batch.position}"

    def due(self) -> list[Partition]:
        """Return the blocked partitions to retry now; each is due again after 10 s."""
        now = self._clock.monotonic()
        found = [partition for partition, at in self._retry_at.items() if at <= now]
        for partition in found:
            self._retry_at[partition] = now + _RETRY_S
        return found

    def reached(self, partition: Partition, position: int) -> None:
        """Record the current position of a blocked partition, which is free again if that is after the batch."""
        if position > self._batches[partition].offset:
            log.info("partition_readable_again", position=f"{_name(partition)}/{position}")
            self.drop(partition)

    def drop(self, partition: Partition) -> None:
        """Forget a partition that was revoked or is no longer blocked."""
        if self._batches.pop(partition, None) is not None:
            del self._retry_at[partition]
            self._metrics.unreadable_batch_offset.remove(*partition)
            self._health.recovered(_name(partition))


def _name(partition: Partition) -> str:
    return f"{partition[0]}/{partition[1]}"
