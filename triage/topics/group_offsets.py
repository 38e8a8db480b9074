"""Reads the members and the committed offsets of consumer groups without being a member of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from triage.clock import Clock, SystemClock
from triage.retries.backoff import backoff
from triage.topics.kafka_types import Admin, TopicPartition

_ELECTION_S = 5.0


def described_groups(admin: Admin, groups: Sequence[str], clock: Clock | None = None) -> dict[str, dict[str, Any]]:
    """Return what Kafka says of each group, by its name: `members` has one entry for each member.

    A cluster has no coordinator for a group until the topic of offsets exists, and while another broker takes over.
    kafka-python's admin client does not wait for it: this asks again for 5 seconds. Raises KafkaError if it still
    fails.
    """
    from kafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError

    clock = clock or SystemClock()
    deadline_s = clock.monotonic() + _ELECTION_S
    for wait_s in backoff(0.2, 1.0):
        try:
            return admin.describe_groups(groups)
        except (CoordinatorLoadInProgressError, CoordinatorNotAvailableError, NotCoordinatorError):
            if clock.monotonic() + wait_s > deadline_s:
                raise
        clock.sleep(wait_s)
    raise AssertionError("backoff never ends")


def committed_offsets(
    admin: Admin, group: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int | None]:
    """Return the group's committed offset (the next to read) of each partition; None if it has committed none.

    An offset may be missing while the transaction that commits it is being completed. Raises KafkaError if the request
    fails.
    """
    requested = list(partitions)
    if not requested:
        return {}
    found = admin.list_group_offsets({group: requested}).get(group, {})
    return {
        each: None if (entry := found.get(each)) is None or entry.offset < 0 else entry.offset for each in requested
    }
