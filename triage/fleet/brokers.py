"""Reads the members of the consumer groups and the offsets of each raw partition from Kafka."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from triage.config import Settings
from triage.errors import TriageError
from triage.topics import admin_client, translate
from triage.topics.definitions import RAW_TOPICS
from triage.topics.group_offsets import committed_offsets, described_groups
from triage.topics.kafka_types import Admin, TopicPartition


@dataclass(frozen=True)
class Member:
    """A member of a consumer group. `host` is its address as seen by the broker, `kind` is worker or alerter.

    `partitions` are those assigned to it, as (topic, number).
    """

    name: str
    host: str
    kind: str
    partitions: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Offsets:
    """Offsets of one raw partition: first, end, and the one that the workers' group committed (None: none yet)."""

    first: int
    end: int
    committed: int | None

    @property
    def lag(self) -> int:
        return max(0, self.end - max(self.first, self.committed or 0))


@dataclass(frozen=True)
class BrokerReading:
    members: tuple[Member, ...] = ()
    offsets: Mapping[tuple[str, int], Offsets] = field(default_factory=dict)


class Brokers:
    """Reads group members and offsets from the brokers. Only one thread may use it.

    Its admin client is kept between readings and replaced after a failure.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open = ExitStack()
        self._admin: Admin | None = None

    def read(self) -> BrokerReading:
        """Read group members and offsets once.

        Raises Unavailable if no broker answers, AccessDenied or ConfigError if a retry cannot help.
        """
        try:
            if self._admin is None:
                self._admin = self._open.enter_context(admin_client(self._settings.kafka))
            return self._read(self._admin)
        except (KafkaError, TriageError) as error:
            self.close()
            raise translate(error) from error

    def close(self) -> None:
        self._admin = None
        self._open.close()

    def _read(self, admin: Admin) -> BrokerReading:
        kafka = self._settings.kafka
        groups = {self._settings.worker.group: "worker", kafka.topic(self._settings.alerting.group): "alerter"}
        described = described_groups(admin, list(groups))
        members = tuple(
            _member(member, kind) for group, kind in groups.items() for member in described[group].get("members", ())
        )
        names = [kafka.topic(name) for name in RAW_TOPICS.values()]
        partitions = _partitions(admin, names)
        return BrokerReading(members, _offsets(admin, self._settings.worker.group, partitions))


def _partitions(admin: Admin, topics: Iterable[str]) -> list[TopicPartition]:
    names = list(topics)
    return [
        TopicPartition(topic["name"], entry["partition_index"])
        for topic in admin.describe_topics(names)
        for entry in sorted(topic.get("partitions", ()), key=lambda entry: entry["partition_index"])
    ]


def _offsets(admin: Admin, group: str, partitions: list[TopicPartition]) -> dict[tuple[str, int], Offsets]:
    if not partitions:
        return {}
    first = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    committed = committed_offsets(admin, group, partitions)
    return {
        (each.topic, each.partition): Offsets(first[each].offset, ends[each].offset, committed[each])
        for each in partitions
    }


def _member(member: Mapping[str, Any], kind: str) -> Member:
    assigned = member.get("member_assignment") or {}
    topics = assigned.get("assigned_partitions", ()) if isinstance(assigned, Mapping) else ()
    return Member(
        member.get("group_instance_id") or member["client_id"],
        member["client_host"].lstrip("/"),
        kind,
        tuple((topic["topic"], number) for topic in topics for number in topic["partitions"]),
    )
