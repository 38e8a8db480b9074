"""Offsets that the library does not have: partitions without a leader, and positions that no longer exist."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kafka import KafkaConsumer

from triage.topics.kafka_types import TopicPartition


def known_offsets(
    ask: Callable[[list[TopicPartition]], Mapping[TopicPartition, int]], partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Ask for the first or last offsets of partitions, leaving out partitions whose leader is unknown.

    `ask` is a consumer's `beginning_offsets` or `end_offsets`; its errors are passed on, except KeyError. The library
    leaves partitions without a leader out of its request, refreshes its metadata, and then fails with a KeyError for
    the first of them. For topics that the consumer does not read, its metadata may be incomplete. Remove when a
    partition without a leader (one of several brokers stopped) is waited for or raises KafkaError.
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


def report_resets(consumer: KafkaConsumer, report: Callable[[TopicPartition, int], None]) -> None:
    """Let the consumer report a partition whose next offset no longer exists in Kafka: (partition, that offset).

    The library then continues at the first or last existing offset, and logs it only at level INFO. Remove when the
    library has a hook for it.
    """
    subscriptions = consumer._subscription  # noqa: SLF001
    request = subscriptions.request_offset_reset

    def request_and_report(partition: TopicPartition, *strategy: Any) -> None:
        position = subscriptions.assignment[partition].position
        if position is not None:
            report(partition, position.offset)
        request(partition, *strategy)

    subscriptions.request_offset_reset = request_and_report
