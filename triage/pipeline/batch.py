"""The batch: the records of one transaction, and the results of the stages so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from opentelemetry.trace import INVALID_SPAN, Span

from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.raw import RawRecord
from triage.schemas.version import timed_version
from triage.types import Channel, Position

Partition = tuple[str, int]


class ConsumedMessage(msgspec.Struct, frozen=True):
    """One raw message as consumed from Kafka; `timestamp_ms` is the broker's.

    `epoch` is the assignment number of its partition, which increases with each assignment and revocation: if it is
    not the current one, the message is stale, because the partition was revoked after it was read.
    """

    position: Position
    timestamp_ms: int
    value: bytes
    headers: tuple[tuple[str, bytes | None], ...] = ()
    epoch: int = 0

    @property
    def partition(self) -> Partition:
        return (self.position.topic, self.position.partition)


class ValidatedRecord(msgspec.Struct, frozen=True):
    """A validated raw record with its event time, in ms since the epoch.

    `original` is the first position of a replayed record, `broker_ms` the broker's timestamp at that position.
    `named_version` is the document version if the source specified one, `stored_version` that of a stored document that
    is enriched again. `time_implausible`: the event time is later
    than the broker's timestamp by more than the settings allow.
    """

    raw: RawRecord
    channel: Channel
    event_ms: int
    event_id: str
    position: Position | None = None
    broker_ms: int = 0
    original: Position | None = None
    named_version: int | None = None
    time_implausible: bool = False
    stored_version: int | None = None

    @property
    def version(self) -> int:
        """Document version: the one specified by the source, else one from the broker's timestamp and the offset.

        Elasticsearch keeps the document with the highest version of an `_id`; of equal versions, the one written last.
        """
        if self.named_version is not None:
            return self.named_version
        if self.stored_version is not None:
            return self.stored_version
        first = self.original or self.position
        return timed_version(self.broker_ms, first.offset if first else 0)

    @property
    def counted_ms(self) -> int:
        """Time in ms that determines the alerting window in which the record is counted.

        It is the event time, or the broker's timestamp if the event time is implausible.
        """
        return self.broker_ms if self.time_implausible else self.event_ms


class Enriched(msgspec.Struct, frozen=True):
    """An enriched record, its document `_id` and encoded body, and the validated record it was made from."""

    record: EnrichedRecord
    document_id: str
    validated: ValidatedRecord
    body: bytes  # the record as JSON: encoded once for Elasticsearch and for the enriched topic


@dataclass(slots=True)
class Batch:
    """The records of one transaction. Stages add each of them to `validated`, `enriched` or `dead_letters`.

    After each stage every record of `consumed` is in exactly one of these three, unless its author was erased. A stage
    that is repeated after an Unavailable finds the batch as it was before.
    """

    consumed: list[ConsumedMessage] = field(default_factory=list)
    validated: list[ValidatedRecord] = field(default_factory=list)
    enriched: list[Enriched] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    lowest_uncommitted_offsets: Mapping[Partition, int] = field(default_factory=dict)
    """Per partition, the lowest offset that earlier batches hold and that is not committed yet."""
    trace: Span = INVALID_SPAN
    """The OpenTelemetry span of the batch; INVALID_SPAN for a batch without records."""

    def lowest_offsets(self) -> dict[Partition, int]:
        """The lowest offset of each raw partition in the batch."""
        return {partition: first for partition, (first, _) in self.offset_ranges().items()}

    def offset_ranges(self) -> dict[Partition, tuple[int, int]]:
        """First and last offset (inclusive) of each raw partition in the batch."""
        found: dict[Partition, list[int]] = {}
        for message in self.consumed:
            topic, partition, offset = message.position
            found.setdefault((topic, partition), []).append(offset)
        return {partition: (min(offsets), max(offsets)) for partition, offsets in found.items()}

    def drop(self, partitions: set[Partition]) -> None:
        """Remove all records of revoked partitions; the new owner of each partition reads them again."""
        if not partitions:
            return
        self.consumed = [m for m in self.consumed if m.partition not in partitions]
        self.validated = [v for v in self.validated if _partition(v.position) not in partitions]
        self.enriched = [e for e in self.enriched if _partition(e.validated.position) not in partitions]
        self.dead_letters = [d for d in self.dead_letters if (d.topic, d.partition) not in partitions]


def _partition(position: Position | None) -> Partition | None:
    return (position.topic, position.partition) if position else None


def merge_lowest_offsets(lowest: dict[Partition, int], others: Mapping[Partition, int]) -> None:
    """Update `lowest` in place: for each partition, keep the lower of its offset and the one in `others`."""
    for partition, offset in others.items():
        lowest[partition] = min(offset, lowest.get(partition, offset))
