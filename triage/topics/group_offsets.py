"""Committed offsets of a consumer group, asked from outside of the group."""

from collections.abc import Iterable

from triage.topics.kafka_types import Admin, TopicPartition


def committed_offsets(
    admin: Admin, group: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int | None]:
    """The next offset of each partition; None where the group has committed nothing.

    An offset whose transaction is being ended may be missing yet. Raises kafka-python's errors.
    """
    requested = list(partitions)
    if not requested:
        return {}
    found = admin.list_group_offsets({group: requested}).get(group, {})
    return {
        each: None if (entry := found.get(each)) is None or entry.offset < 0 else entry.offset for each in requested
    }
