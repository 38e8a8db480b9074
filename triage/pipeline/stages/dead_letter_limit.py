"""Stops the worker when too many records become dead letters, for example after a change of the source's schema."""

import itertools
from collections import Counter, deque
from pathlib import Path

import msgspec

from triage.config import WorkerSettings
from triage.errors import TooManyDeadLetters
from triage.logging import get_logger
from triage.pipeline.batch import Batch, Partition
from triage.pipeline.dead_letters.origin_headers import parse_position
from triage.types import Position

log = get_logger("triage.deadletters")


class _State(msgspec.Struct):
    consecutive: int = 0
    too_large_a_share: bool = False


class DeadLetterLimit:
    """The last stage: ends the worker when too many consecutive records, or too large a share, became dead letters.

    It raises before anything of the batch is committed, so those records stay in their topic. The counts are stored in
    `path`, so that a restarted worker ends at its first dead letters instead of dead-lettering more with each restart.
    Valid records or a higher limit reset them. Until the window is full, only consecutive records are checked. Replayed
    records don't count, because they were dead letters before.
    """

    name = "limit"

    def __init__(self, settings: WorkerSettings, path: Path | None = None) -> None:
        self._max_consecutive = settings.dead_letters_in_a_row
        self._max_ratio = settings.dead_letter_ratio
        self._window = settings.dead_letter_window
        self._path = path
        self._state = _State()
        # The last records, oldest first: 1 for a dead letter, 0 for an enriched record.
        self._recent: deque[int] = deque(maxlen=self._window)
        self._counted: dict[Partition, int] = {}
        self._stored = path is not None and path.exists()
        if path is not None and self._stored:
            self._restore(path)

    def process(self, batch: Batch) -> None:
        """Count the batch's dead letters; the batch is unchanged. Raises TooManyDeadLetters above a limit."""
        reasons: dict[Position, str] = {
            Position(letter.topic, letter.partition, letter.offset): letter.reason
            for letter in batch.dead_letters
            if letter.original is None
        }
        enriched = {item.validated.position for item in batch.enriched}
        longest = self._state.consecutive
        for message in batch.consumed:
            if message.position.offset <= self._counted.get(message.partition, -1):
                continue  # read again after a transaction that failed
            self._counted[message.partition] = message.position.offset
            if message.position in reasons:
                self._recent.append(1)
                self._state.consecutive += 1
                longest = max(longest, self._state.consecutive)
            elif message.position in enriched:
                self._recent.append(0)
                self._state.consecutive = 0
        exceeded = self._exceeded(longest)
        if exceeded is None:
            self._clear_if_recovered()
            return
        self._store()
        reasons_text = ", ".join(f"{reason} {count}" for reason, count in Counter(reasons.values()).most_common(3))
        positions = [parse_position(letter.position) for letter in batch.dead_letters if letter.original is None]
        first = f"; the first of this batch is {min(positions)}" if positions else ""
        raise TooManyDeadLetters(
            f"{exceeded} ({reasons_text}){first}. Nothing of this batch was committed. If the source or the schema "
            "changed, fix that and start again; if the records really are to be dead-lettered, raise "
            "worker.dead_letters_in_a_row and worker.dead_letter_ratio (0 and 1 switch them off)"
        )

    def _exceeded(self, longest: int) -> str | None:
        if self._max_consecutive and longest >= self._max_consecutive:
            self._state.consecutive = longest
            return f"{longest} records in a row became dead letters"
        dead, seen = sum(self._recent), len(self._recent)
        if self._max_ratio < 1 and seen == self._window and dead > self._max_ratio * seen:
            self._state.too_large_a_share = True
            return f"{dead} of the last {seen} records became dead letters"
        return None

    def _restore(self, path: Path) -> None:
        try:
            self._state = msgspec.json.decode(path.read_bytes(), type=_State)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("dead_letter_limit_unreadable", path=str(path), error=str(error))
        # Just below the limits: the next dead letter exceeds them again, valid records lead away from them.
        if self._max_consecutive:
            self._state.consecutive = min(self._state.consecutive, self._max_consecutive - 1)
        if self._state.too_large_a_share:
            shares = [int(n * self._max_ratio) for n in range(self._window + 1)]
            self._recent.extend(after - before for before, after in itertools.pairwise(shares))
            self._state.too_large_a_share = False

    def _store(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            scratch = self._path.with_suffix(".new")
            scratch.write_bytes(msgspec.json.encode(self._state))
            scratch.replace(self._path)
            self._stored = True
        except OSError as error:
            log.warning("dead_letter_limit_not_kept", path=str(self._path), error=str(error))

    def _clear_if_recovered(self) -> None:
        if self._path is not None and self._stored and self._state.consecutive == 0:
            self._path.unlink(missing_ok=True)
            self._stored = False
