"""Lets each poll of a consumer take records from all partitions that have any."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

from kafka import KafkaConsumer

from triage.topics.fair_share import take_fairly
from triage.topics.kafka_types import ConsumerRecord, TopicPartition


def read_fairly(consumer: KafkaConsumer, weight_of: Callable[[TopicPartition], int]) -> None:
    """Let each poll take records from all partitions that have any, in proportion to their weights.

    The library reads all that it has fetched of one partition, up to 1 MiB, before the next: while one topic has a
    backlog, a record of another waits for minutes. Remove when `test_the_library_reads_one_partition_after_the_other`
    fails.
    """
    fetcher = consumer._fetcher  # noqa: SLF001
    fetcher.fetched_records = _FairReader(fetcher, consumer._subscription, weight_of).fetched_records  # noqa: SLF001


class _FairReader:
    """A replacement for the method `fetched_records` of kafka-python's fetcher that takes records from all partitions.

    What was fetched is kept where the library keeps records of paused partitions: it does not fetch those again.
    """

    def __init__(self, fetcher: Any, subscriptions: Any, weight_of: Callable[[TopicPartition], int]) -> None:
        self._fetcher = fetcher
        self._subscriptions = subscriptions
        self._weight_of = weight_of
        self._kept: dict[TopicPartition, Any] = fetcher._paused_partition_records  # noqa: SLF001
        self._failed: Exception | None = None

    def fetched_records(
        self, max_records: int | None = None, update_offsets: bool = True
    ) -> tuple[dict[TopicPartition, list[ConsumerRecord]], bool]:
        """Return (records by partition, False), like the library's method that this replaces.

        An error that occurs after some records were taken is raised by the next call, as in the library.
        """
        if self._failed is not None:
            failed, self._failed = self._failed, None
            raise failed
        drained: dict[TopicPartition, list[ConsumerRecord]] = defaultdict(list)
        try:
            self._keep_what_has_arrived()
            takers = {
                where: partial(self._take, where, drained, update_offsets)
                for where in self._kept
                if not self._subscriptions.is_paused(where)
            }
            take_fairly(takers, max_records or self._fetcher.config["max_poll_records"], self._weight_of)
        except Exception as error:
            if not drained:
                raise
            self._failed = error
        return dict(drained), False

    def _keep_what_has_arrived(self) -> None:
        raw, paused = self._fetcher._completed_fetches, self._fetcher._paused_completed_fetches  # noqa: SLF001
        for where in [each for each in paused if not self._subscriptions.is_paused(each)]:
            raw.append(paused.pop(where))
        while raw:
            completed = raw.popleft()
            where = completed.topic_partition
            if self._subscriptions.is_paused(where):
                paused[where] = completed
            elif records := self._fetcher._parse_fetched_data(completed):  # noqa: SLF001
                self._kept[where] = records

    def _take(
        self,
        where: TopicPartition,
        drained: dict[TopicPartition, list[ConsumerRecord]],
        update_offsets: bool,
        limit: int,
    ) -> int:
        records = self._kept.pop(where)
        taken: int = self._fetcher._append(drained, records, limit, update_offsets)  # noqa: SLF001
        if records:
            # At the end: next time the others come first.
            self._kept[where] = records
        return taken
