"""What moves through the pipeline: the records of one transaction and what has become of them so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opentelemetry.trace import INVALID_SPAN, Span

from triage.schemas.deadletter import DeadLetter
from triage.schemas.enriched import EnrichedRecord
from triage.schemas.raw import RawRecord
from triage.types import Channel, Position

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ConsumedMessage:
    """One raw message as it was consumed. `epoch` is the assignment of its partition under which it was read."""

    position: Position
    timestamp_ms: int
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    epoch: int = 0

    @property
    def partition(self) -> Partition:
        return (self.position.topic, self.position.partition)


@dataclass(frozen=True, slots=True)
class ValidatedRecord:
    """A validated raw record with its event time, in ms since the epoch.

    `original` is the first position of a record that was replayed, `broker_ms` its broker's timestamp there.
    """

    raw: RawRecord
    channel: Channel
    event_ms: int
    event_id: str
    position: Position | None = None
    broker_ms: int = 0
    original: Position | None = None


@dataclass(frozen=True, slots=True)
class Enriched:
    """An enriched record, its document `_id`, and where it came from."""

    record: EnrichedRecord
    document_id: str
    accepted: ValidatedRecord
    body: bytes  # the record as JSON: encoded once for Elasticsearch and for the enriched topic


@dataclass(slots=True)
class Batch:
    """The records of one transaction. Stages move them from `incoming` to `accepted`, `enriched` or `dead`.

    After each stage every incoming record is in exactly one of the three, unless its author was forgotten; a stage that
    is repeated after an Unavailable finds the batch as it was before.
    """

    incoming: list[ConsumedMessage] = field(default_factory=list)
    accepted: list[ValidatedRecord] = field(default_factory=list)
    enriched: list[Enriched] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    lowest_uncommitted_offsets: Mapping[Partition, int] = field(default_factory=dict)
    """First offset of each partition of which earlier batches hold records that are not committed yet."""
    trace: Span = INVALID_SPAN
    """The span of the batch; without records it has none."""

    def first_offsets(self) -> dict[Partition, int]:
        """The first offset of each raw partition in the batch."""
        return {partition: first for partition, (first, _) in self.offsets().items()}

    def offsets(self) -> dict[Partition, tuple[int, int]]:
        """First and last offset of each raw partition in the batch."""
        ranges: dict[Partition, tuple[int, int]] = {}
        for message in self.incoming:
            first, last = ranges.get(message.partition, (message.position.offset, message.position.offset))
            ranges[message.partition] = (min(first, message.position.offset), max(last, message.position.offset))
        return ranges

    def drop(self, partitions: set[Partition]) -> None:
        """Forget all records of partitions that this worker no longer owns; their new owner reads them again."""
        if not partitions:
            return
        self.incoming = [m for m in self.incoming if m.partition not in partitions]
        self.accepted = [a for a in self.accepted if _partition(a.position) not in partitions]
        self.enriched = [e for e in self.enriched if _partition(e.accepted.position) not in partitions]
        self.dead = [d for d in self.dead if (d.topic, d.partition) not in partitions]


def _partition(position: Position | None) -> Partition | None:
    return (position.topic, position.partition) if position else None


def keep_lowest_offsets(first: dict[Partition, int], others: Mapping[Partition, int]) -> None:
    """Bring `first` down to the offsets of `others` where those are lower, or the only ones."""
    for partition, offset in others.items():
        first[partition] = min(offset, first.get(partition, offset))
