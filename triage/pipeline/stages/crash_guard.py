"""Finds a record that makes the process end (crash in native code, out of memory, hang) and dead-letters it."""

from collections.abc import Iterator, Sequence

from triage.clock import Clock
from triage.errors import InvalidRecord
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage, merge_lowest_offsets
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.stages.base import Stage
from triage.pipeline.stages.in_flight_journal import InFlightJournal
from triage.schemas.deadletter import DeadLetter

log = get_logger("triage.poison")


class CrashGuard:
    """Runs other stages, and keeps a journal of the records in process, which outlives the process.

    Normally all records of the batch are in flight together. After a process died, the records that it had in flight
    are quarantined: they are processed one by one, so that a second death identifies its record. A record that was the
    only one in flight at `attempts` deaths is poison and becomes a dead letter with reason `crashed_the_worker`. So a
    poison record costs `attempts` + 1 restarts, and a death with another cause (a kill, a failed machine) only one
    slower batch.
    """

    name = "guarded"

    def __init__(
        self,
        journal: InFlightJournal,
        stages: Sequence[Stage],
        dead_letter_factory: DeadLetterFactory,
        attempts: int,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._journal = journal
        self._stages = stages
        self._dead_letter_factory = dead_letter_factory
        self._attempts = attempts
        self._clock = clock
        self._metrics = metrics

    def process(self, batch: Batch) -> None:
        parts = list(self._split(batch))
        for part in parts:
            self._process_part(part)
        batch.validated = [record for part in parts for record in part.validated]
        batch.enriched = [record for part in parts for record in part.enriched]
        batch.dead_letters = [letter for part in parts for letter in part.dead_letters]

    def _split(self, batch: Batch) -> Iterator[Batch]:
        """Yield the batch in parts, in order, so that each quarantined record is a part of its own."""
        if not self._journal.has_quarantined:
            yield Batch(batch.consumed)
            return
        # What was found out about a record must outlive a death until the record is committed.
        lowest = batch.lowest_offsets()
        merge_lowest_offsets(lowest, batch.lowest_uncommitted_offsets)
        self._journal.discard_before(lowest)
        together: list[ConsumedMessage] = []
        for message in batch.consumed:
            if not self._journal.is_quarantined(message.position):
                together.append(message)
                continue
            if together:
                yield Batch(together)
                together = []
            yield Batch([message])
        if together:
            yield Batch(together)

    def _process_part(self, part: Batch) -> None:
        if len(part.consumed) == 1 and (letter := self._dead_letter_if_poison(part.consumed[0])):
            part.dead_letters.append(letter)
            return
        self._journal.begin(part.consumed)
        for stage in self._stages:
            started = self._clock.monotonic()
            stage.process(part)
            self._metrics.stage_seconds.labels(stage.name).observe(self._clock.monotonic() - started)
        # Not in a `finally`: an exception that ends the process is a death like any other.
        self._journal.complete()

    def _dead_letter_if_poison(self, message: ConsumedMessage) -> DeadLetter | None:
        crashes = self._journal.crashes_of(message.position)
        if crashes < self._attempts:
            return None
        log.error("record_crashes_the_worker", position=str(message.position), times=crashes)
        invalid = InvalidRecord(
            "crashed_the_worker", f"{crashes} workers ended while they worked on this record alone", stage="enrich"
        )
        return self._dead_letter_factory.create(message, invalid, attempts=crashes)
