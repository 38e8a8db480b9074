"""First and last offsets of partitions, also while some have no leader."""

from collections.abc import Callable, Iterable, Mapping

from kafka import TopicPartition

Ask = Callable[[list[TopicPartition]], Mapping[TopicPartition, int]]
"""A consumer's `beginning_offsets` or `end_offsets`."""


def known_offsets(ask: Ask, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """The offsets of those partitions whose leader is known; others are left out. Raises what `ask` does but KeyError.

    kafka-python 3.0 leaves them out of its request, has its metadata renewed, and then trips over their absence.
    """
    left = list(partitions)
    while left:
        try:
            return dict(ask(left))
        except KeyError as error:
            if error.args[0] not in left:
                raise
            left.remove(error.args[0])
    return {}
