"""The contract between the worker and Kafka: where messages are read, and where a transaction is committed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from triage.pipeline.batch import ConsumedMessage, Partition


@dataclass(frozen=True, slots=True)
class Message:
    """One message to produce; without a partition the key decides, by murmur2 as in every Kafka client."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class PartitionState:
    """Position of the reader in a partition.

    `position` is the next offset to read, `end` the one after the last that can be read. `high_watermark` is the end of
    the partition: it is higher than `end` while a producer's transaction is open, and what it and all others wrote
    since can't be read yet.
    """

    position: int
    end: int
    high_watermark: int = 0

    @property
    def lag(self) -> int:
        """Offsets that are not processed yet, whether they can be read yet or not."""
        return max(0, max(self.end, self.high_watermark) - self.position)

    @property
    def readable(self) -> int:
        """Offsets that can be read now."""
        return max(0, self.end - self.position)

    @property
    def held(self) -> int:
        """Offsets that can't be read before an open transaction ends."""
        return max(0, self.high_watermark - self.end)


class Source(Protocol):
    """Membership in a consumer group and a transactional producer, as one thing. One thread uses it."""

    def poll(self, timeout_ms: int, max_records: int) -> list[ConsumedMessage]:
        """Messages of the assigned partitions, in order within each; [] after `timeout_ms`. Raises Unavailable.

        Each partition of which messages have arrived has a share of `max_records`.
        """
        ...

    def keep_alive(self, timeout_ms: int) -> None:
        """Stay in the group while a batch waits for a dependency: heartbeats are sent, nothing is read."""
        ...

    def stale(self, messages: Sequence[ConsumedMessage]) -> set[Partition]:
        """Partitions of these messages that were revoked since they were read, also if they were assigned again."""
        ...

    def commit(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        """Produce the messages and commit the offsets (next to read) in one transaction.

        Raises Unavailable if it was aborted and may be retried, Fenced if this source must be rebuilt.
        """
        ...

    def partitions(self) -> Mapping[Partition, PartitionState]:
        """State of the assigned raw partitions, their ends as the broker has them now. Raises Unavailable."""
        ...

    def partition_count(self, topic: str) -> int:
        """Number of partitions of a topic that is produced to. Raises Unavailable."""
        ...

    def close(self) -> None:
        """Leave the group; what was not committed is read again by the next owner."""
        ...
