"""Reading topics from here to there: committed records of a range of offsets, for commands that look back."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaError

from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.topics.admin import require_topics
from triage.topics.clients import cleared_away
from triage.topics.connect import translate, wait_for_kafka
from triage.topics.known_offsets import Ask, known_offsets
from triage.types import Position

_PAUSE_S = 0.02
_POLL_RECORDS = 500
_FETCH_S = 15.0

Range = tuple[int, int]
"""First offset, and the one after the last."""


class TopicScan:
    """A consumer that is in no group's rotation: it reads what it is told to, committed records alone.

    Raises Unavailable, AccessDenied and what else `translate` says; `timeout_s` as of `wait_for_kafka`. One thread
    uses it.
    """

    def __init__(
        self, settings: KafkaSettings, name: str, group: str | None = None, timeout_s: float | None = None
    ) -> None:
        self._settings = settings
        wait_for_kafka(settings, timeout_s=timeout_s)
        with _translated(), cleared_away() as client:
            self.consumer = KafkaConsumer(
                **settings.client(),
                kafka_client=client,
                client_id=name,
                group_id=group,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                request_timeout_ms=settings.request_timeout_ms,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.consumer.close(autocommit=False)

    def partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        """All partitions of full topic names; none of a topic that does not exist."""
        with _translated():
            return [
                TopicPartition(topic, number)
                for topic in topics
                for number in sorted(self.consumer.partitions_for_topic(topic) or ())
            ]

    def existing_partitions(self, topic: str) -> list[TopicPartition]:
        """All partitions of a topic (short name). Raises ConfigError where there is none, AccessDenied, Unavailable."""
        full = self._settings.topic(topic)
        found = self.partitions([full])
        if not found:
            # A consumer takes a topic that it may not see for one that is not there.
            require_topics(self._settings, [topic])
            found = self.partitions([full])
        if not found:
            raise Unavailable("kafka", f"{full} exists, but not every broker knows of it yet")
        return found

    def ranges(
        self, partitions: Iterable[TopicPartition], from_ms: int | None = None, to_ms: int | None = None
    ) -> dict[TopicPartition, Range]:
        """What is there now, from the first record stamped `from_ms` or later to before the first of `to_ms`."""
        wanted = list(partitions)
        if not wanted:
            return {}
        with _translated():
            first = self._offsets(self.consumer.beginning_offsets, wanted)
            last = self._offsets(self.consumer.end_offsets, wanted)
            starts = self._at(wanted, from_ms, first, last) if from_ms is not None else first
            ends = self._at(wanted, to_ms, first, last) if to_ms is not None else last
        return {each: (starts[each], max(starts[each], ends[each])) for each in wanted}

    def _offsets(self, ask: Ask, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        """Of all of them, once each has a leader."""
        until = time.monotonic() + self._settings.request_timeout_ms / 1000
        while len(found := known_offsets(ask, partitions)) < len(partitions):
            if time.monotonic() >= until:
                leaderless = {each: None for each in partitions if each not in found}
                raise Unavailable("kafka", f"no broker leads {_named(leaderless)}")
            time.sleep(_PAUSE_S)
        return found

    def _at(
        self,
        partitions: list[TopicPartition],
        at_ms: int,
        first: Mapping[TopicPartition, int],
        last: Mapping[TopicPartition, int],
    ) -> dict[TopicPartition, int]:
        """Offsets of the first records of a time or later; the end where there is none."""
        found = self.consumer.offsets_for_times(dict.fromkeys(partitions, max(0, at_ms)))
        offsets = {}
        for each in partitions:
            # None is also said of one that has lost its leader: asked alone, that is waited for.
            entry = found.get(each) or self.consumer.offsets_for_times({each: max(0, at_ms)}).get(each)
            offset = last[each] if entry is None or entry.offset < 0 else entry.offset
            offsets[each] = min(max(offset, first[each]), last[each])
        return offsets

    def read(self, ranges: Mapping[TopicPartition, Range]) -> Iterator[list[ConsumerRecord]]:
        """The records of these ranges, in order within each partition, a poll at a time."""
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
                done = [each for each, end in open_ends.items() if self.consumer.position(each) >= end]
            found = [
                record for each, records in polled.items() for record in records if record.offset < ranges[each][1]
            ]
            if found:
                yield found
                # Only now: what the caller does with them is no silence of Kafka's.
                quiet_since = time.monotonic()
            for each in done:
                del open_ends[each]
                self.consumer.pause(each)
            if not polled and open_ends:
                if time.monotonic() - quiet_since > self._settings.request_timeout_ms / 1000:
                    raise Unavailable("kafka", f"nothing more came of {_named(open_ends)}")
                # The local stack answers empty fetches at once: a long poll would spin.
                time.sleep(_PAUSE_S)

    def follow(self, starts: Mapping[TopicPartition, int]) -> Iterator[list[ConsumerRecord]]:
        """The records from these offsets on, a poll at a time and without end; [] where nothing new has come yet.

        It never waits: who gets [] pauses, or stops.
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
            yield [record for records in polled.values() for record in records]

    def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether what is followed has been read up to these offsets."""
        with _translated():
            return all(self.consumer.position(each) >= end for each, end in ends.items())

    def fetch(self, positions: Iterable[Position]) -> dict[Position, ConsumerRecord]:
        """Single records by their positions; those that are no longer (or never were) there are left out."""
        wanted: dict[TopicPartition, list[int]] = {}
        for topic, partition, offset in sorted(set(positions)):
            wanted.setdefault(TopicPartition(topic, partition), []).append(offset)
        known = set(self.partitions({each.topic for each in wanted}))
        found: dict[Position, ConsumerRecord] = {}
        for where, (first, end) in self.ranges(each for each in wanted if each in known).items():
            here = [offset for offset in wanted[where] if first <= offset < end]
            while here:
                # One poll's worth from the next wanted offset on; what it passed over is not there.
                polled = next(self.read({where: (here[0], here[-1] + 1)}), [])
                by_offset = {record.offset: record for record in polled}
                reached = max(by_offset, default=here[-1])
                found |= {
                    Position(where.topic, where.partition, offset): by_offset[offset]
                    for offset in here
                    if offset in by_offset
                }
                here = [offset for offset in here if offset > reached]
        return found


def _named(partitions: Mapping[TopicPartition, Any]) -> str:
    return ", ".join(f"{each.topic}/{each.partition}" for each in partitions)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise translate(error) from error
