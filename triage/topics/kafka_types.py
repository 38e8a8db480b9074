"""Types for the part of kafka-python that triage uses; the library itself has none.

Annotate with the protocols, and import the tuples from here, so that mypy checks the calls. `tests/topics` compares the
signatures with those of the installed library.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:

    class TopicPartition(NamedTuple):
        topic: str
        partition: int

    class OffsetAndMetadata(NamedTuple):
        offset: int
        metadata: str = ""
        leader_epoch: int = -1

    class GroupMetadata(NamedTuple):
        """Identity of a member of a consumer group; if the member was removed, the broker refuses commits with it."""

        group_id: str | None
        generation_id: int = -1
        member_id: str = ""
        group_instance_id: str | None = None
        state: str = ""
else:
    from kafka import TopicPartition
    from kafka.structs import ConsumerGroupMetadata as GroupMetadata
    from kafka.structs import OffsetAndMetadata

__all__ = [
    "Admin",
    "Consumer",
    "ConsumerRecord",
    "GroupConsumer",
    "GroupMetadata",
    "Headers",
    "OffsetAndMetadata",
    "OffsetAndTimestamp",
    "Producer",
    "RecordFuture",
    "SentRecords",
    "TopicPartition",
    "TransactionalProducer",
]

Headers = list[tuple[str, bytes]]


class ConsumerRecord(Protocol):
    """A Kafka record as received. `timestamp` is in ms since the epoch; the value of a header may be None."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]] | None: ...


class OffsetAndTimestamp(Protocol):
    @property
    def offset(self) -> int: ...


class Consumer(Protocol):
    """The methods of a KafkaConsumer that triage uses. Only one thread may use it. All methods may raise KafkaError."""

    config: dict[str, Any]

    def assignment(self) -> set[TopicPartition]: ...
    def assign(self, partitions: Iterable[TopicPartition]) -> None: ...
    def subscribe(self, topics: Sequence[str], *, listener: object) -> None: ...
    def partitions_for_topic(self, topic: str) -> set[int] | None: ...
    def poll(self, timeout_ms: int, max_records: int | None = None) -> dict[TopicPartition, list[ConsumerRecord]]: ...
    def pause(self, *partitions: TopicPartition) -> None: ...
    def resume(self, *partitions: TopicPartition) -> None: ...
    def seek(self, partition: TopicPartition, offset: int) -> None: ...
    def position(self, partition: TopicPartition, timeout_ms: int | None = None) -> int | None: ...
    def committed(self, partition: TopicPartition, *, timeout_ms: int | None = None) -> int | None: ...
    def beginning_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: int | None = None
    ) -> Mapping[TopicPartition, int]: ...
    def end_offsets(
        self, partitions: Iterable[TopicPartition], timeout_ms: int | None = None
    ) -> Mapping[TopicPartition, int]: ...
    def offsets_for_times(
        self, timestamps: Mapping[TopicPartition, int], timeout_ms: int | None = None
    ) -> Mapping[TopicPartition, OffsetAndTimestamp | None]: ...
    def group_metadata(self) -> GroupMetadata: ...
    def close(self, autocommit: bool = True, timeout_ms: int | None = None) -> None: ...


class GroupConsumer(Consumer, Protocol):
    """A consumer in a consumer group that notices when the broker has removed it from the group (expelled it).

    The implementation is `triage.topics.kafka_compat.CooperativeConsumer`.
    """

    @property
    def rejoining(self) -> bool:
        """True while a rebalance of the consumer group is in progress or needed."""
        ...

    def records(self, max_records: int, timeout_ms: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return up to `max_records` fetched records by partition, waiting up to `timeout_ms` for the first."""
        ...

    def highwater(self, partition: TopicPartition) -> int | None:
        """Return the end offset of an assigned partition as of the last fetch, including records of open transactions.

        None if nothing was fetched from it yet.
        """
        ...

    def resets(self) -> dict[TopicPartition, int]:
        """Return the partitions whose next offset was found missing in Kafka since the last call, with that offset."""
        ...

    def attend(self, timeout_ms: int) -> None:
        """Send heartbeats and take part in rebalances, without fetching records."""
        ...

    def membership(self) -> GroupMetadata:
        """Return the group metadata to commit with. Raises Fenced if the broker removed the consumer from its group."""
        ...


class RecordFuture(Protocol):
    """The future result of sending one message. Callbacks are called on the producer's thread."""

    @property
    def is_done(self) -> bool: ...
    @property
    def exception(self) -> BaseException | None: ...
    def get(self, timeout: float | None = None) -> Any: ...
    def add_callback(self, f: Callable[..., object]) -> object: ...
    def add_errback(self, f: Callable[..., object]) -> object: ...


class SentRecords(Protocol):
    """The outcome of records that were sent together."""

    def errors(self) -> list[BaseException | None]:
        """Return the error of each record in the order of sending, None for one that has none or is not done."""
        ...


class Producer(Protocol):
    """The methods of a KafkaProducer that triage uses. Thread-safe. All methods may raise KafkaError."""

    config: dict[str, Any]

    def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        headers: Headers | None = None,
        partition: int | None = None,
    ) -> RecordFuture: ...
    def flush(self, timeout: float | None = None) -> None: ...
    def partitions_for(self, topic: str) -> set[int]: ...
    def close(self, timeout: float | None = None) -> None: ...


class TransactionalProducer(Producer, Protocol):
    """A transactional producer whose methods all return within a timeout.

    They may also raise Fenced: a newer producer uses its transactional id. The implementation is
    `triage.topics.kafka_compat.BoundedProducer`.
    """

    @property
    def fenced(self) -> bool:
        """True once the broker has refused this producer because a newer one uses its transactional id."""
        ...

    def init_transactions(self) -> None: ...
    def begin_transaction(self) -> None: ...
    def send_offsets_to_transaction(
        self, offsets: Mapping[TopicPartition, OffsetAndMetadata], group_metadata: GroupMetadata
    ) -> None: ...
    def commit_transaction(self) -> None:
        """Wait until every sent record is acknowledged, then commit; if one is not, nothing is committed."""
        ...

    def abort_transaction(self) -> None: ...
    def send_all(
        self,
        topic: str,
        partition: int,
        records: Sequence[tuple[bytes | None, bytes | None]],
        headers: Headers | None = None,
    ) -> SentRecords:
        """Send (key, value) of many records to one partition, all with the same headers."""
        ...

    def end(self, timeout_s: float) -> None:
        """Close the producer within `timeout_s`; records that cannot be sent by then are dropped. Never raises."""
        ...


class Admin(Protocol):
    """The methods of a KafkaAdminClient that triage uses. All methods may raise KafkaError."""

    def list_topics(self) -> list[str]: ...
    def describe_topics(self, topics: Sequence[str] | None = None) -> list[dict[str, Any]]: ...
    def describe_configs(self, config_resources: Sequence[Any], *, config_filter: str) -> dict[str, dict[str, Any]]: ...
    def describe_cluster(self) -> dict[str, Any]: ...
    def describe_groups(self, group_ids: Sequence[str]) -> dict[str, dict[str, Any]]: ...
    def create_topics(
        self, new_topics: Mapping[str, Mapping[str, Any]], *, raise_errors: bool = True
    ) -> dict[str, Any]: ...
    def wait_for_topics(self, topic_names: Sequence[str], timeout_ms: int) -> object: ...
    def create_partitions(self, topic_partitions: Mapping[str, int], *, raise_errors: bool = True) -> Any: ...
    def alter_configs(
        self, config_resources: Sequence[Any], *, raise_on_unknown: bool = True
    ) -> dict[str, dict[str, str]]: ...
    def list_group_offsets(
        self, group_specs: Mapping[str, Sequence[TopicPartition]]
    ) -> dict[str, dict[TopicPartition, OffsetAndMetadata]]: ...
    def list_partition_offsets(
        self, topic_partition_specs: Mapping[TopicPartition, Any]
    ) -> dict[TopicPartition, OffsetAndTimestamp]: ...
    def list_transactions(self) -> dict[int, list[Any]]: ...
    def describe_transactions(self, transactional_ids: Iterable[str]) -> dict[str, Any]: ...
    def close(self) -> None: ...
