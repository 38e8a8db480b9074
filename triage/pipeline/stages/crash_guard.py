"""Finds the record that ends the process, however it does: a crash in native code, memory, an endless call."""

from collections.abc import Iterator, Sequence

from triage.clock import Clock
from triage.errors import InvalidRecord
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage, keep_lowest_offsets
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.stages.base import Stage
from triage.pipeline.stages.in_flight_journal import Journal
from triage.schemas.deadletter import DeadLetter

log = get_logger("triage.poison")


class CrashGuard:
    """Runs the stages that work on records alone, with a journal of what is in hand.

    Normally that is the whole batch. After a process died, the records that it had in hand go through one by one, so
    that the next death names its record. One that was alone in hand at `attempts` deaths becomes a dead letter with
    reason `crashed_the_worker`. So a poisonous record costs `attempts` + 1 restarts, and a death of other cause (a
    kill, a lost machine) costs nothing but one slower batch.
    """

    name = "guarded"

    def __init__(
        self,
        journal: Journal,
        stages: Sequence[Stage],
        office: DeadLetterFactory,
        attempts: int,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._journal = journal
        self._stages = stages
        self._office = office
        self._attempts = attempts
        self._clock = clock
        self._metrics = metrics

    def process(self, batch: Batch) -> None:
        parts = list(self._parts(batch))
        for part in parts:
            self._through(part)
        for results in ("accepted", "enriched", "dead"):
            setattr(batch, results, [item for part in parts for item in getattr(part, results)])

    def _parts(self, batch: Batch) -> Iterator[Batch]:
        if not self._journal.suspects:
            yield Batch(batch.incoming)
            return
        # What was found out about a record must outlive a death until the record is committed.
        first = batch.first_offsets()
        keep_lowest_offsets(first, batch.lowest_uncommitted_offsets)
        self._journal.forget_before(first)
        together: list[ConsumedMessage] = []
        for message in batch.incoming:
            if not self._journal.quarantined(message.position):
                together.append(message)
                continue
            if together:
                yield Batch(together)
                together = []
            yield Batch([message])
        if together:
            yield Batch(together)

    def _through(self, part: Batch) -> None:
        if len(part.incoming) == 1 and (letter := self._poison(part.incoming[0])):
            part.dead.append(letter)
            return
        self._journal.hold(part.incoming)
        for stage in self._stages:
            started = self._clock.monotonic()
            stage.process(part)
            self._metrics.stage_seconds.labels(stage.name).observe(self._clock.monotonic() - started)
        # Not in a `finally`: an exception that ends the process is a death like any other.
        self._journal.release()

    def _poison(self, message: ConsumedMessage) -> DeadLetter | None:
        crashes = self._journal.crashes_of(message.position)
        if crashes < self._attempts:
            return None
        log.error("record_crashes_the_worker", position=str(message.position), times=crashes)
        invalid = InvalidRecord(
            "crashed_the_worker", f"{crashes} workers ended while they worked on this record alone", stage="enrich"
        )
        return self._office.letter(message, invalid, attempts=crashes)
