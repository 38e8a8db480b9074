"""The interface between the worker and Kafka: reading messages and committing transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from triage.pipeline.batch import ConsumedMessage, Partition


@dataclass(frozen=True, slots=True)
class Message:
    """One message to produce. If `partition` is None, the murmur2 hash of the key selects it, as in every Kafka client.

    A message with neither goes to partition 0.

    A `value` of None is a tombstone: it deletes the key from a compacted topic.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class PartitionState:
    """Position of the reader in a partition.

    `position` is the next offset to read, `end` the one after the last that can be read. `high_watermark` is the end of
    the partition: while a transaction is open it is higher than `end`, because nothing after the start of that
    transaction can be read yet, whoever wrote it.
    """

    position: int
    end: int
    high_watermark: int = 0

    @property
    def lag(self) -> int:
        """Number of offsets from `position` to the end of the partition, readable or not."""
        return max(0, max(self.end, self.high_watermark) - self.position)

    @property
    def readable(self) -> int:
        """Number of offsets after `position` that can be read now."""
        return max(0, self.end - self.position)

    @property
    def held(self) -> int:
        """Number of offsets that cannot be read until an open transaction ends."""
        return max(0, self.high_watermark - self.end)


class Source(Protocol):
    """A consumer in a consumer group together with a transactional producer. Only one thread may use it."""

    def poll(self, timeout_ms: int, max_records: int) -> list[ConsumedMessage]:
        """Return up to `max_records` messages of the assigned partitions, in order within each; [] after `timeout_ms`.

        The messages are divided fairly between the partitions that have some. Raises Unavailable if Kafka does not
        answer.
        """
        ...

    def keep_alive(self, timeout_ms: int) -> None:
        """Stay in the consumer group while a batch waits for a dependency: send heartbeats, read no messages."""
        ...

    def stale(self, messages: Sequence[ConsumedMessage]) -> set[Partition]:
        """Return the partitions of these messages that were revoked after the messages were read.

        This includes partitions that have been assigned again since.
        """
        ...

    def commit(self, messages: Sequence[Message], offsets: Mapping[Partition, int]) -> None:
        """Produce the messages and commit the offsets (next to read) in one transaction.

        Raises Unavailable if it was aborted and can be retried, Fenced if this source must be rebuilt.
        """
        ...

    def partitions(self) -> Mapping[Partition, PartitionState]:
        """Return the state of each assigned raw partition, with the end offsets that the broker reports now.

        Raises Unavailable if the broker does not answer.
        """
        ...

    def partition_count(self, topic: str) -> int:
        """Return the number of partitions of an output topic. Raises Unavailable if Kafka does not answer."""
        ...

    def close(self) -> None:
        """Leave the group; messages that were not committed are read again by the next owner of their partition."""
        ...
