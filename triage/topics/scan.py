"""Reads committed records of topics by offset ranges, without a consumer group.

Commands use it to read existing records, and threads to follow a topic.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self, TypeVar

from kafka import KafkaConsumer
from kafka.errors import KafkaError, KafkaTimeoutError

from triage.clock import SystemClock
from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.logging import get_logger
from triage.retries.until_available import until_available
from triage.topics.admin import require_topics
from triage.topics.connect import translate, wait_for_kafka
from triage.topics.kafka_compat import closing_on_failure, known_offsets, stop_at_unreadable
from triage.topics.kafka_types import Consumer, ConsumerRecord, TopicPartition
from triage.topics.noida_compat import EMPTY_POLL_PAUSE_S
from triage.topics.unreadable import UnreadableBatch
from triage.types import Position

log = get_logger("triage.kafka")

_T = TypeVar("_T")

_POLL_RECORDS = 500
# Request timeouts after which a partition counts as silent: one for the request that a frozen leader holds, one for a
# question about its successor, which may go to the frozen broker too, and one for the successor.
_PATIENCE = 3
_LEADER_PAUSE_S = 0.02

Range = tuple[int, int]
"""A range of offsets: the first one, and the one after the last."""


class TopicScan:
    """A consumer that reads given partitions, without joining a group, and only committed records.

    `name` is its client id; `group` is a group whose offsets it may read and commit. The constructor waits for Kafka,
    for `timeout_s` at most (see `wait_for_kafka`). At a batch that cannot be read, reading raises Unavailable with its
    position; if `unreadable` is given, it is called instead and the batch is skipped. Errors of kafka-python are
    translated by `translate`, mostly to Unavailable or AccessDenied. Only one thread may use it.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        name: str,
        group: str | None = None,
        timeout_s: float | None = None,
        unreadable: Callable[[UnreadableBatch], None] | None = None,
    ) -> None:
        self._settings = settings
        self._unreadable = unreadable
        self._stopped_at: list[UnreadableBatch] = []
        # Who does not wait here tries again, and can say then why it has not read yet.
        patience = 1 if timeout_s == 0 else _PATIENCE
        self._patience_s = patience * settings.request_timeout_ms / 1000

        def connect(left_s: float) -> KafkaConsumer:
            wait_for_kafka(settings, timeout_s=left_s)
            with _translated(), closing_on_failure() as client:
                return KafkaConsumer(
                    **settings.client(),
                    kafka_client=client,
                    client_id=name,
                    group_id=group,
                    isolation_level="read_committed",
                    auto_offset_reset="earliest",
                    enable_auto_commit=False,
                    request_timeout_ms=settings.request_timeout_ms,
                )

        consumer = until_available(connect, SystemClock(), settings.start_timeout_s if timeout_s is None else timeout_s)
        stop_at_unreadable(consumer, self._stopped_at.append)
        self.consumer: Consumer = consumer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close(autocommit=False)

    def partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        """Return all partitions of the topics, given by full names; a topic that does not exist has none."""
        with _translated():
            return [
                TopicPartition(topic, number)
                for topic in topics
                for number in sorted(self.consumer.partitions_for_topic(topic) or ())
            ]

    def existing_partitions(self, topic: str) -> list[TopicPartition]:
        """Return all partitions of a topic, given by its short name.

        Raises ConfigError if the topic does not exist, AccessDenied without the permission to describe it, Unavailable
        if no broker answers.
        """
        full = self._settings.topic(topic)
        found = self.partitions([full])
        if not found:
            # To a consumer, a topic without the right to see it looks like a missing one.
            require_topics(self._settings, [topic])
            found = self.partitions([full])
        if not found:
            raise Unavailable("kafka", f"{full} exists, but not every broker knows of it yet")
        return found

    def ranges(
        self, partitions: Iterable[TopicPartition], from_ms: int | None = None, to_ms: int | None = None
    ) -> dict[TopicPartition, Range]:
        """Return the offset range of each partition with the records from `from_ms` (inclusive) to `to_ms` (exclusive).

        Times are the records' timestamps in ms since the epoch; None means the start or end of the partition.
        """
        requested = list(partitions)
        if not requested:
            return {}
        with _translated():
            first = self._offsets(self.consumer.beginning_offsets, requested)
            last = self._offsets(self.consumer.end_offsets, requested)
            starts = self._at(requested, from_ms, first, last) if from_ms is not None else first
            ends = self._at(requested, to_ms, first, last) if to_ms is not None else last
        return {each: (starts[each], max(starts[each], ends[each])) for each in requested}

    def _offsets(
        self,
        ask: Callable[[list[TopicPartition]], Mapping[TopicPartition, int]],
        partitions: list[TopicPartition],
    ) -> dict[TopicPartition, int]:
        """Return the offset of each partition from `ask`, once each has a leader. Raises Unavailable without one."""
        until = time.monotonic() + self._patience_s
        while len(found := self._patiently(lambda: known_offsets(ask, partitions))) < len(partitions):
            if time.monotonic() >= until:
                leaderless = [each for each in partitions if each not in found]
                raise Unavailable("kafka", f"no broker leads {_by_name(leaderless)}")
            time.sleep(_LEADER_PAUSE_S)
        return found

    def _patiently(self, ask: Callable[[], _T]) -> _T:
        """Return what `ask` returns; while it times out, as at a frozen leader, it is called again."""
        until = time.monotonic() + self._patience_s
        while True:
            try:
                return ask()
            except KafkaTimeoutError:
                if time.monotonic() >= until:
                    raise

    def _at(
        self,
        partitions: list[TopicPartition],
        at_ms: int,
        first: Mapping[TopicPartition, int],
        last: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, int]:
        """Return the offset of the first record at `at_ms` or later of each partition; its end if there is none."""
        found = self._patiently(lambda: self.consumer.offsets_for_times(dict.fromkeys(partitions, max(0, at_ms))))
        offsets = {}
        for each in partitions:
            # None is also returned for one that has lost its leader: asked alone, that is waited for.
            entry = found.get(each) or self.consumer.offsets_for_times({each: max(0, at_ms)}).get(each)
            offset = last[each] if entry is None or entry.offset < 0 else entry.offset
            offsets[each] = min(max(offset, first[each]), last[each])
        return offsets

    def read(
        self,
        ranges: Mapping[TopicPartition, Range],
        unreadable: Callable[[UnreadableBatch], None] | None = None,
    ) -> Iterator[list[ConsumerRecord]]:
        """Yield the records of these ranges, in order within each partition, in lists of up to 500.

        `unreadable` replaces the constructor's. Raises Unavailable if the records stop arriving.
        """
        open_ends = {each: end for each, (start, end) in ranges.items() if start < end}
        with _translated():
            self.consumer.assign(list(open_ends))
            self.consumer.resume(*open_ends)
            for each in open_ends:
                self.consumer.seek(each, ranges[each][0])
        quiet_since = time.monotonic()
        while open_ends:
            with _translated():
                polled: dict[TopicPartition, list[ConsumerRecord]] = self.consumer.poll(
                    timeout_ms=0, max_records=_POLL_RECORDS
                )
                self._pass_unreadable(unreadable or self._unreadable)
                done = [each for each, end in open_ends.items() if (self.consumer.position(each) or 0) >= end]
            found = [
                record for each, records in polled.items() for record in records if record.offset < ranges[each][1]
            ]
            if found:
                yield found
                # Only now: the time that the caller takes does not count.
                quiet_since = time.monotonic()
            for each in done:
                del open_ends[each]
                self.consumer.pause(each)
            if not polled and open_ends:
                if time.monotonic() - quiet_since > self._patience_s:
                    raise Unavailable("kafka", f"no more records came of {_by_name(open_ends)}")
                time.sleep(EMPTY_POLL_PAUSE_S)

    def follow(self, starts: Mapping[TopicPartition, int]) -> Iterator[list[ConsumerRecord]]:
        """Yield the records from these offsets on, endlessly, in lists of up to 500; [] if nothing new has arrived.

        It never waits: the caller should pause after [].
        """
        with _translated():
            self.consumer.assign(list(starts))
            self.consumer.resume(*starts)
            for each, offset in starts.items():
                self.consumer.seek(each, offset)
        while True:
            with _translated():
                polled: dict[TopicPartition, list[ConsumerRecord]] = self.consumer.poll(
                    timeout_ms=0, max_records=_POLL_RECORDS
                )
                self._pass_unreadable(self._unreadable)
            yield [record for records in polled.values() for record in records]

    def _pass_unreadable(self, report: Callable[[UnreadableBatch], None] | None) -> None:
        while self._stopped_at:
            batch = self._stopped_at.pop(0)
            if report is None:
                raise Unavailable("kafka", str(batch))
            report(batch)
            where = TopicPartition(batch.topic, batch.partition)
            self.consumer.seek(where, batch.next_offset)
            self.consumer.resume(where)

    def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """True if this scan's next record of each partition is at its offset in `ends` or later."""
        with _translated():
            return all((self.consumer.position(each) or 0) >= end for each, end in ends.items())

    def fetch(self, positions: Iterable[Position]) -> dict[Position, ConsumerRecord]:
        """Read single records by position; those no longer retained or unreadable are left out."""
        requested: dict[TopicPartition, list[int]] = {}
        for topic, partition, offset in sorted(set(positions)):
            requested.setdefault(TopicPartition(topic, partition), []).append(offset)
        known = set(self.partitions({each.topic for each in requested}))
        found: dict[Position, ConsumerRecord] = {}
        for where, (first, end) in self.ranges(each for each in requested if each in known).items():
            left = [offset for offset in requested[where] if first <= offset < end]
            while left:
                # The records of one poll from the next offset on; an offset that it skipped does not exist.
                polled = next(self.read({where: (left[0], left[-1] + 1)}, log_unreadable), [])
                by_offset = {record.offset: record for record in polled}
                reached = max(by_offset, default=left[-1])
                found |= {
                    Position(where.topic, where.partition, offset): by_offset[offset]
                    for offset in left
                    if offset in by_offset
                }
                left = [offset for offset in left if offset > reached]
        return found


def log_unreadable(batch: UnreadableBatch) -> None:
    """Log a warning about an unreadable batch that is skipped; can be passed as `unreadable` to a TopicScan."""
    log.warning("unreadable_batch_left_out", position=batch.position, content=batch.content, error=batch.reason)


def _by_name(partitions: Iterable[TopicPartition]) -> str:
    return ", ".join(f"{each.topic}/{each.partition}" for each in partitions)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise translate(error) from error
