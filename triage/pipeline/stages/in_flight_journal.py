"""A journal of the records in flight, from which the next process can find the record that caused a crash."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from triage.logging import get_logger
from triage.pipeline.batch import ConsumedMessage, Partition
from triage.types import Position

log = get_logger("triage.journal")

_MAX_ENTRIES = 1_000


class _Range(msgspec.Struct, array_like=True):
    """Offsets of one partition, both ends included."""

    topic: str
    partition: int
    first: int
    last: int

    def contains(self, position: Position) -> bool:
        return (self.topic, self.partition) == position[:2] and self.first <= position.offset <= self.last


# The names in the file are older than those here, and a new version must read the file of its predecessor.
class _State(msgspec.Struct, rename={"in_flight": "hand", "quarantined": "suspects"}):
    in_flight: list[_Range] = []
    alone: bool = False  # one record is in flight
    quarantined: list[_Range] = []
    crashes: dict[str, int] = {}  # of single records, by position


class InFlightJournal:
    """Positions of the records in flight, without their content, in a small file that outlives the process.

    Records that were in flight when a process ended, for any reason, are quarantined for its successors. If it was a
    single record, its crashes are counted: `crashes_of`. The file is overwritten in place and not synced: it survives
    the end of the process, and no record makes the machine fail. If the disk cannot be written, only the journal is
    lost.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd: int | None = None
        self._writable = True
        self._state = _State()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._state = _decode(os.pread(self._fd, 1 << 20, 0))
        except OSError as error:
            self._warn_unwritable(error)
        self._take_over()

    def is_quarantined(self, position: Position) -> bool:
        return any(found.contains(position) for found in self._state.quarantined)

    @property
    def has_quarantined(self) -> bool:
        return bool(self._state.quarantined)

    def crashes_of(self, position: Position) -> int:
        """Number of processes that ended, for any reason, while the record at `position` was the only one in flight."""
        return self._state.crashes.get(str(position), 0)

    def begin(self, messages: Sequence[ConsumedMessage]) -> None:
        """Write to the journal that these messages are in flight now."""
        self._state.in_flight = _ranges(messages)
        self._state.alone = len(messages) == 1
        self._write()

    def complete(self) -> None:
        """Record that the messages in flight were processed: they are no longer in flight or quarantined."""
        state = self._state
        for done in state.in_flight if state.quarantined else ():
            state.quarantined = [rest for found in state.quarantined for rest in _subtract(found, done)]
        state.in_flight = []
        self._write()

    def discard_before(self, lowest_uncommitted_offsets: Mapping[Partition, int]) -> None:
        """Discard quarantine and crash counts of records before these offsets, by partition: they are committed."""
        state, lowest = self._state, lowest_uncommitted_offsets
        state.quarantined = [
            found for found in state.quarantined if found.last >= lowest.get((found.topic, found.partition), found.last)
        ]
        state.crashes = {name: times for name, times in state.crashes.items() if not _is_before(name, lowest)}

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _take_over(self) -> None:
        state = self._state
        if not state.in_flight:
            return
        if state.alone:
            name = str(Position(state.in_flight[0].topic, state.in_flight[0].partition, state.in_flight[0].first))
            state.crashes[name] = state.crashes.get(name, 0) + 1
        log.warning(
            "predecessor_died_with_records_in_hand",
            ranges=[f"{found.topic}/{found.partition}/{found.first}-{found.last}" for found in state.in_flight],
            alone=state.alone,
        )
        earlier = [rest for found in state.quarantined for rest in _subtract_all(found, state.in_flight)]
        state.quarantined = [*earlier, *state.in_flight][-_MAX_ENTRIES:]
        state.crashes = dict(list(state.crashes.items())[-_MAX_ENTRIES:])
        state.in_flight = []
        self._write()

    def _write(self) -> None:
        if self._fd is None:
            return
        try:
            # Only what comes before the line feed is read; the rest of a longer earlier state stays after it.
            os.pwrite(self._fd, msgspec.json.encode(self._state) + b"\n", 0)
        except OSError as error:
            self._warn_unwritable(error)
        else:
            self._writable = True

    def _warn_unwritable(self, error: OSError) -> None:
        if self._writable:
            log.warning(
                "journal_unwritable",
                path=str(self._path),
                error=str(error),
                effect="a record that crashes this worker would not be found",
            )
        self._writable = False


def _decode(content: bytes) -> _State:
    line, ended, _ = content.partition(b"\n")
    try:
        return msgspec.json.decode(line, type=_State) if ended else _State()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log.warning("journal_unreadable", error=str(error))
        return _State()


def _ranges(messages: Sequence[ConsumedMessage]) -> list[_Range]:
    found: dict[Partition, _Range] = {}
    for message in messages:
        topic, partition, offset = message.position
        known = found.setdefault(message.partition, _Range(topic, partition, offset, offset))
        known.first, known.last = min(known.first, offset), max(known.last, offset)
    return list(found.values())


def _subtract(found: _Range, done: _Range) -> list[_Range]:
    """Return the parts of the range `found` that are not in the range `done`: none, one or two."""
    if (found.topic, found.partition) != (done.topic, done.partition):
        return [found]
    parts = [
        _Range(found.topic, found.partition, found.first, min(found.last, done.first - 1)),
        _Range(found.topic, found.partition, max(found.first, done.last + 1), found.last),
    ]
    return [part for part in parts if part.first <= part.last]


def _subtract_all(found: _Range, ranges: Sequence[_Range]) -> list[_Range]:
    left = [found]
    for done in ranges:
        left = [rest for part in left for rest in _subtract(part, done)]
    return left


def _is_before(name: str, lowest: Mapping[Partition, int]) -> bool:
    topic, partition, offset = name.rsplit("/", 2)
    return int(offset) < lowest.get((topic, int(partition)), -1)
