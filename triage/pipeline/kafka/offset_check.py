"""Verifies committed offsets against the offsets recorded in the group's own output.

Purpose. After a crash a broker may answer for seconds, or until it is started again, with committed offsets of long ago
or with none (decision 14). A worker that resumed from them would process everything since then once more. But a
transaction commits offsets together with its counts: if a committed message of `window-counts` says that an offset was
counted, that offset is committed. The broker loads commits in order, so once it has the newest all are right.

Threads. Only the worker's own thread uses a verifier: the source calls it before each poll while partitions are not
verified. It has no lock.

State. One verifier exists for the life of a worker, over the sources that it rebuilds. It remembers the worker's own
commits, the recorded offsets of the current assignment, and recorded offsets that turned out not to apply because the
topic was created again.

Blocking and retries. Each question to Kafka blocks for a request or two; there is at most one per `_ASK_INTERVAL_S`.
The verifier never sleeps: it answers None, and the source asks again at its next poll, so that the worker stays in its
group.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from triage.clock import Clock
from triage.errors import AccessDenied
from triage.logging import get_logger
from triage.pipeline.batch import Partition

log = get_logger("triage.offsets")

_ASK_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class ProcessedOffset:
    """The offset after the last record of a partition known to be processed.

    `at_ms` is when that was recorded, in ms since the epoch.
    """

    offset: int
    at_ms: int


@dataclass(frozen=True)
class OffsetQueries:
    """The three functions with which the verifier queries Kafka.

    `processed` returns the offsets recorded in the newest messages of the group's output. `committed` returns the
    committed offset of each partition according to the group coordinator, None without one. `confirm` returns the
    partitions whose topic was not deleted and created again since: the record before the offset is not newer than the
    entry, or is no longer retained. All raise Unavailable if Kafka does not answer, `processed` also AccessDenied.
    """

    processed: Callable[[], Mapping[Partition, ProcessedOffset]]
    committed: Callable[[Iterable[Partition]], Mapping[Partition, int | None]]
    confirm: Callable[[Mapping[Partition, ProcessedOffset]], set[Partition]]


class CommittedOffsetVerifier:
    """Determines the offsets from which newly assigned partitions are read.

    Call `begin`, then `resume_offsets` until it does not return None. While Kafka's committed offsets are lower than
    those recorded in the output, the result is delayed, for at most `patience_s` seconds after the first call of
    `resume_offsets`; then the recorded offsets are used. With `patience_s` = 0 every committed offset is accepted.
    """

    def __init__(self, queries: OffsetQueries, clock: Clock, wall: Clock, patience_s: float) -> None:
        self._queries = queries
        self._clock = clock
        self._wall = wall
        self._patience_s = patience_s
        self._own_commits: dict[Partition, ProcessedOffset] = {}
        self._refuted: dict[Partition, ProcessedOffset] = {}
        self._processed: dict[Partition, ProcessedOffset] | None = None
        self._since = self._asked = 0.0
        self._logged = False
        # The broker was waited for once and is not loading any more: the next join does not wait for it again.
        self._patience_spent = False

    def record_commit(self, offsets: Mapping[Partition, int]) -> None:
        """Remember the offsets that this process has just committed, for later verifications."""
        now_ms = self._wall.now_ms()
        self._own_commits |= {partition: ProcessedOffset(offset, now_ms) for partition, offset in offsets.items()}

    def begin(self) -> None:
        """Start a new verification after partitions were assigned; the group's output is read again."""
        self._processed = None

    def resume_offsets(self) -> Mapping[Partition, int] | None:
        """Return the lowest offset from which each partition may be read.

        {} means that the committed offsets are valid; None that this is not known yet: call it again later. `begin`
        must have been called before. Raises Unavailable if Kafka does not answer.
        """
        if not self._patience_s:
            return {}
        now = self._clock.monotonic()
        if self._processed is None:
            self._processed = self._read_processed()
            self._since, self._asked, self._logged = now, now - _ASK_INTERVAL_S, False
        if not self._processed:
            return {}
        if now - self._asked < _ASK_INTERVAL_S:
            return None
        self._asked = now
        committed = self._queries.committed(self._processed)
        lagging = {
            partition: processed
            for partition, processed in self._processed.items()
            if (committed.get(partition) or 0) < processed.offset
        }
        if not lagging:
            if self._logged:
                log.info("committed_offsets_caught_up", after_s=round(now - self._since, 1))
            self._patience_spent = False
            return {}
        if now - self._since < self._patience_s and not self._patience_spent:
            self._log_waiting(lagging, committed)
            return None
        return self._resume_from_output(lagging, committed)

    def resume_offsets_in_open_transaction(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """Return the offsets to resume from; call it when the coordinator gives none because a transaction is open.

        {} means: wait, because the transaction may still end. A working broker ends it after
        `worker.transaction_timeout_ms`. Once `patience_s` seconds have passed since the first call of
        `resume_offsets` after `begin`, the offsets committed before the transaction are returned.
        """
        if not self._patience_s or self._clock.monotonic() - self._since < self._patience_s:
            return {}
        found = {partition: offset or 0 for partition, offset in self._queries.committed(partitions).items()}
        log.warning(
            "reading_on_from_the_output",
            put_out=_by_name(found),
            effect="Kafka keeps a transaction of the group open that does not end",
        )
        return found

    def _read_processed(self) -> dict[Partition, ProcessedOffset]:
        try:
            found = dict(self._queries.processed())
        except AccessDenied as error:
            found = {}
            log.warning(
                "output_unreadable",
                error=str(error),
                effect="committed offsets are checked against this worker's own commits only",
            )
        for partition, own in self._own_commits.items():
            if partition not in found or found[partition].offset < own.offset:
                found[partition] = own
        return {
            partition: processed
            for partition, processed in found.items()
            if partition not in self._refuted or self._refuted[partition].at_ms < processed.at_ms
        }

    def _log_waiting(
        self, lagging: Mapping[Partition, ProcessedOffset], committed: Mapping[Partition, int | None]
    ) -> None:
        if not self._logged:
            log.warning(
                "committed_offsets_behind_output",
                committed=_by_name({partition: committed.get(partition) for partition in lagging}),
                put_out=_by_name({partition: processed.offset for partition, processed in lagging.items()}),
                effect=f"asking again for up to {self._patience_s:g} s; Kafka may still be loading them",
            )
        self._logged = True

    def _resume_from_output(
        self, lagging: Mapping[Partition, ProcessedOffset], committed: Mapping[Partition, int | None]
    ) -> Mapping[Partition, int]:
        assert self._processed is not None
        self._patience_spent = True
        confirmed = self._queries.confirm(self._processed)
        self._refuted |= {
            partition: processed for partition, processed in self._processed.items() if partition not in confirmed
        }
        offsets = {
            partition: processed.offset for partition, processed in self._processed.items() if partition in confirmed
        }
        log.warning(
            "reading_on_from_the_output",
            committed=_by_name({partition: committed.get(partition) for partition in lagging}),
            put_out=_by_name({partition: offset for partition, offset in offsets.items() if partition in lagging}),
            effect="Kafka has lost the group's newer offsets; records that were processed are not processed again",
        )
        return offsets


def _by_name(offsets: Mapping[Partition, int | None]) -> dict[str, int | None]:
    return {f"{topic}/{number}": offset for (topic, number), offset in sorted(offsets.items())}
