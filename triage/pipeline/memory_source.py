"""A `Source` that keeps its messages in memory, for tests, trials and the benchmark of the pipeline without Kafka."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from triage.errors import TriageError
from triage.pipeline.batch import ConsumedMessage, Partition
from triage.pipeline.source import Message, PartitionState
from triage.topics.fair_share import take_fairly
from triage.types import Position


class MemorySource:
    """A `Source` that keeps each partition as a list in memory and applies a commit as a whole.

    Each commit removes the first exception from `fail_commits`, if any, and raises it without committing.
    """

    def __init__(self, output_partitions: int = 2) -> None:
        self.logs: dict[Partition, list[tuple[int, bytes, tuple[tuple[str, bytes | None], ...]]]] = {}
        self.committed: dict[Partition, int] = {}
        self.produced: list[Message] = []
        self.transactions = 0
        self.fail_commits: list[TriageError] = []
        self.on_keep_alive: Callable[[], None] | None = None
        self.closed = False
        self._positions: dict[Partition, int] = {}
        self._epochs: dict[Partition, int] = {}
        self._output_partitions = output_partitions

    def append(
        self,
        topic: str,
        value: bytes,
        *,
        timestamp_ms: int,
        partition: int = 0,
        headers: tuple[tuple[str, bytes | None], ...] = (),
    ) -> None:
        self.logs.setdefault((topic, partition), []).append((timestamp_ms, value, headers))

    def poll(self, timeout_ms: int, max_records: int) -> list[ConsumedMessage]:
        del timeout_ms
        batch: list[ConsumedMessage] = []
        take_fairly({key: partial(self._take, key, batch) for key in self.logs}, max_records)
        return batch

    def _take(self, key: Partition, batch: list[ConsumedMessage], limit: int) -> int:
        log, epoch = self.logs[key], self._epochs.get(key, 0)
        start = self._positions.get(key, self.committed.get(key, 0))
        found = range(start, min(len(log), start + limit))
        for offset in found:
            timestamp_ms, value, headers = log[offset]
            batch.append(ConsumedMessage(Position(*key, offset), timestamp_ms, value, headers, epoch))
            self._positions[key] = offset + 1
        return len(found)

    def keep_alive(self, timeout_ms: int) -> None:
        del timeout_ms
        if self.on_keep_alive:
            self.on_keep_alive()

    def revoke(self, partition: Partition) -> None:
        """Revoke a partition and assign it again: reading restarts at the committed offset."""
        self._epochs[partition] = self._epochs.get(partition, 0) + 1
        self._positions[partition] = self.committed.get(partition, 0)

    def stale(self, messages: Sequence[ConsumedMessage]) -> set[Partition]:
        return {m.partition for m in messages if m.epoch != self._epochs.get(m.partition, 0)}

    def commit(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        if self.fail_commits:
            raise self.fail_commits.pop(0)
        self.produced.extend(messages)
        self.committed.update(offsets)
        self.transactions += 1

    def partitions(self) -> Mapping[Partition, PartitionState]:
        return {key: PartitionState(self._positions.get(key, 0), len(log)) for key, log in self.logs.items()}

    def partition_count(self, topic: str) -> int:
        del topic
        return self._output_partitions

    def close(self) -> None:
        self.closed = True

    def reopen(self) -> "MemorySource":
        """Simulate a restart: keep the messages, and read again from the committed offsets."""
        self.closed = False
        self._positions = dict(self.committed)
        for partition in self.logs:
            self._epochs[partition] = self._epochs.get(partition, 0) + 1
        return self
