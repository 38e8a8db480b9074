"""Committed offsets of a consumer group, asked from outside of it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kafka import TopicPartition

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient


def committed_offsets(
    admin: "KafkaAdminClient", group: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int | None]:
    """The next offset of each partition; None where the group has committed nothing.

    An offset whose transaction is being ended may be missing yet. Raises kafka-python's errors.
    """
    wanted = list(partitions)
    if not wanted:
        return {}
    found = admin.list_group_offsets({group: wanted}).get(group, {})
    return {each: None if (entry := found.get(each)) is None or entry.offset < 0 else entry.offset for each in wanted}
