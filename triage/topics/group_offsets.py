"""Reads the committed offsets of a consumer group without being a member of it."""

from collections.abc import Iterable

from triage.topics.kafka_types import Admin, TopicPartition


def committed_offsets(
    admin: Admin, group: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int | None]:
    """Return the group's committed offset (the next to read) of each partition; None if it has committed none.

    An offset may be missing while the transaction that commits it is being completed. Raises kafka-python's errors.
    """
    requested = list(partitions)
    if not requested:
        return {}
    found = admin.list_group_offsets({group: requested}).get(group, {})
    return {
        each: None if (entry := found.get(each)) is None or entry.offset < 0 else entry.offset for each in requested
    }
