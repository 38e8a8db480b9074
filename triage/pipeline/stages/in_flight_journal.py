"""What was in hand when a process died: a journal of positions, so that its successor can tell the record at fault."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from triage.logging import get_logger
from triage.pipeline.batch import ConsumedMessage, Partition
from triage.types import Position

log = get_logger("triage.journal")

_MOST_KEPT = 1_000


class _Range(msgspec.Struct, array_like=True):
    """Offsets of one partition, both ends included."""

    topic: str
    partition: int
    first: int
    last: int

    def holds(self, position: Position) -> bool:
        return (self.topic, self.partition) == position[:2] and self.first <= position.offset <= self.last


class _State(msgspec.Struct):
    hand: list[_Range] = []
    alone: bool = False  # the hand holds one record
    suspects: list[_Range] = []
    crashes: dict[str, int] = {}  # of single records, by position


class Journal:
    """Positions of the records in hand, in a small file that outlives the process; none of their content.

    A process that ends in any way with records in hand leaves them as suspects. A suspect that was alone in hand is
    counted: `crashes_of` says how often. The file is overwritten in place and not synced: what a process wrote
    survives its death, and no record brings down the machine. A disk that takes no writes costs only the journal.
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
            self._failed(error)
        self._take_over()

    def quarantined(self, position: Position) -> bool:
        return any(found.holds(position) for found in self._state.suspects)

    @property
    def suspects(self) -> bool:
        """Whether there are any."""
        return bool(self._state.suspects)

    def crashes_of(self, position: Position) -> int:
        """Processes that ended with this record alone in hand."""
        return self._state.crashes.get(str(position), 0)

    def hold(self, messages: Sequence[ConsumedMessage]) -> None:
        """These are in hand from now on."""
        self._state.hand = _ranges(messages)
        self._state.alone = len(messages) == 1
        self._write()

    def release(self) -> None:
        """What was in hand has passed: it is no longer suspected."""
        state = self._state
        for passed in state.hand if state.suspects else ():
            state.suspects = [rest for found in state.suspects for rest in _without(found, passed)]
        state.hand = []
        self._write()

    def forget_before(self, first: Mapping[Partition, int]) -> None:
        """Drop what is behind these offsets, of each partition the first that is not committed yet."""
        state = self._state
        state.suspects = [found for found in state.suspects if found.last >= _start(first, found)]
        state.crashes = {name: times for name, times in state.crashes.items() if not _behind(name, first)}

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _take_over(self) -> None:
        state = self._state
        if not state.hand:
            return
        if state.alone:
            name = str(Position(state.hand[0].topic, state.hand[0].partition, state.hand[0].first))
            state.crashes[name] = state.crashes.get(name, 0) + 1
        log.warning(
            "predecessor_died_with_records_in_hand",
            ranges=[f"{found.topic}/{found.partition}/{found.first}-{found.last}" for found in state.hand],
            alone=state.alone,
        )
        known = [rest for found in state.suspects for rest in _outside(found, state.hand)]
        state.suspects = [*known, *state.hand][-_MOST_KEPT:]
        state.crashes = dict(list(state.crashes.items())[-_MOST_KEPT:])
        state.hand = []
        self._write()

    def _write(self) -> None:
        if self._fd is None:
            return
        try:
            # The line feed ends what counts; the rest of a longer predecessor stays behind it.
            os.pwrite(self._fd, msgspec.json.encode(self._state) + b"\n", 0)
        except OSError as error:
            self._failed(error)
        else:
            self._writable = True

    def _failed(self, error: OSError) -> None:
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


def _without(found: _Range, passed: _Range) -> list[_Range]:
    """What is left of `found` without the offsets of `passed`."""
    if (found.topic, found.partition) != (passed.topic, passed.partition):
        return [found]
    parts = [
        _Range(found.topic, found.partition, found.first, min(found.last, passed.first - 1)),
        _Range(found.topic, found.partition, max(found.first, passed.last + 1), found.last),
    ]
    return [part for part in parts if part.first <= part.last]


def _outside(found: _Range, ranges: Sequence[_Range]) -> list[_Range]:
    left = [found]
    for passed in ranges:
        left = [rest for part in left for rest in _without(part, passed)]
    return left


def _start(first: Mapping[Partition, int], found: _Range) -> int:
    return first.get((found.topic, found.partition), found.last)


def _behind(name: str, first: Mapping[Partition, int]) -> bool:
    topic, partition, offset = name.rsplit("/", 2)
    return int(offset) < first.get((topic, int(partition)), -1)
