"""A record that ends the process: its successors find it, dead-letter it, and lose nothing else."""

import json

import pytest
from harness import numbered, wait_for

from triage.clock import ManualClock
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.stages.crash_guard import CrashGuard
from triage.pipeline.stages.in_flight_journal import InFlightJournal
from triage.redaction import Redactor
from triage.types import Position


class Died(BaseException):
    """Stands for a death of the process: nothing after it runs."""


class Deadly:
    name = "enrich"

    def __init__(self, *poison):
        self.poison = poison
        self.sizes = []

    def process(self, batch):
        self.sizes.append(len(batch.consumed))
        if any(message.value in self.poison for message in batch.consumed):
            raise Died
        batch.enriched = [message.value for message in batch.consumed]


@pytest.fixture
def lives(tmp_path, redaction_settings):
    """Each call is the life of one process over the same batch; returns the batch, or None if it died."""

    def live(stage, attempts=3, count=20):
        clock, metrics = ManualClock(), Metrics()
        dead_letter_factory = DeadLetterFactory(Redactor(redaction_settings), clock, metrics)
        guarded = CrashGuard(
            InFlightJournal(tmp_path / "journal"), [stage], dead_letter_factory, attempts, clock, metrics
        )
        batch = Batch([ConsumedMessage(Position("t", n % 3, n // 3), 0, b"%d" % n) for n in range(count)])
        try:
            guarded.process(batch)
        except Died:
            return None
        return batch

    return live


@pytest.fixture
def redaction_settings():
    from triage.config import load_settings

    return load_settings().redaction


def test_a_batch_goes_through_whole_while_nothing_dies(lives):
    stage = Deadly()
    assert lives(stage).enriched == [b"%d" % n for n in range(20)]
    assert stage.sizes == [20]


def test_a_conviction_outlives_a_death_until_its_batch_is_committed(tmp_path, redaction_settings):
    """With several batches in flight, the next one is begun before the letter about the poison record is committed."""
    clock, metrics = ManualClock(), Metrics()
    dead_letter_factory = DeadLetterFactory(Redactor(redaction_settings), clock, metrics)

    def live(*batches):
        guarded = CrashGuard(
            InFlightJournal(tmp_path / "journal"), [Deadly(b"3", b"13")], dead_letter_factory, 2, clock, metrics
        )
        for batch in batches:
            guarded.process(batch)

    def batches():
        first, second = (
            Batch([ConsumedMessage(Position("t", 0, n), 0, b"%d" % n) for n in range(start, start + 10)])
            for start in (0, 10)
        )
        second.lowest_uncommitted_offsets = {("t", 0): 0}
        return first, second

    deaths = 0
    while True:
        pair = batches()
        try:
            live(*pair)
        except Died:
            deaths += 1
            assert deaths <= 6
        else:
            break
    # Three for each, though the batch of the first poison record was never committed.
    assert deaths == 6
    assert [letter.offset for batch in pair for letter in batch.dead_letters] == [3, 13]


@pytest.mark.parametrize("attempts", [2, 3])
def test_the_culprit_is_found_and_the_rest_passes_in_order(lives, attempts):
    stage = Deadly(b"7")
    deaths = 0
    while (batch := lives(stage, attempts)) is None:
        deaths += 1
        assert deaths <= attempts + 1
    assert deaths == attempts + 1
    assert batch.enriched == [b"%d" % n for n in range(20) if n != 7]
    (letter,) = batch.dead_letters
    assert (letter.stage, letter.reason, letter.attempts) == ("enrich", "crashed_the_worker", attempts)
    assert (letter.topic, letter.partition, letter.offset) == ("t", 1, 2)


def test_two_culprits_are_found_one_after_the_other(lives):
    stage = Deadly(b"3", b"11")
    while (batch := lives(stage)) is None:
        assert len(stage.sizes) < 300
    assert sorted((letter.partition, letter.offset) for letter in batch.dead_letters) == [(0, 1), (2, 3)]
    assert len(batch.enriched) == 18


def test_a_death_of_other_cause_costs_one_careful_batch_and_no_record(lives):
    assert lives(Deadly(b"0")) is None
    survivor = Deadly()
    assert len(lives(survivor).enriched) == 20
    assert survivor.sizes == [1] * 20
    after = Deadly()
    lives(after)
    assert after.sizes == [20]


@pytest.mark.stack
@pytest.mark.parametrize("marker", ["!abort!", pytest.param("!exit!", marks=pytest.mark.real)])
@pytest.mark.slow
def test_real_processes_that_die_of_a_record_go_on_without_it(supervised, marker):
    poison = json.dumps({"id": "poison", "text": f"a text that kills {marker}"}).encode()
    fleet = supervised()
    fleet.produce([*numbered(150), poison, *numbered(150, start=150)])
    fleet.launch(["a"], alerter=False)
    fleet.wait_drained(180)
    found = fleet.audit()
    assert set(found.enriched) == {f"r{n}" for n in range(300)}
    assert set(found.enriched.values()) == set(found.indexed.values()) == {1}
    assert found.counted == 300
    (letter,) = [letter for _, letter, _ in fleet.read("dead-letter")]
    assert (letter["stage"], letter["reason"], letter["attempts"]) == ("enrich", "crashed_the_worker", 2)
    # Once in a batch, twice alone.
    assert len(fleet.exits) == 3


@pytest.mark.stack
@pytest.mark.real
def test_a_hung_model_call_ends_the_process_with_its_own_status_and_the_stream_goes_on(supervised):
    hung = json.dumps({"id": "hung", "text": "a text that never ends !hang!"}).encode()
    # Long enough that neither a join nor a first write of this machine is taken for the hang.
    fleet = supervised(**{"worker.stuck_after_s": 15, "worker.stuck_exit_s": 5})
    fleet.produce([*numbered(60), hung, *numbered(60, start=60)])
    fleet.launch(["a"], alerter=False)
    wait_for(lambda: fleet.exits, 180, "the end of the hung process")
    assert fleet.exits[0][2] == 70
    log = (fleet.tmp_path / "a.log").read_text("utf-8", "replace")
    assert '"event":"stuck"' in log
    assert "_misbehave" in log
    fleet.wait_drained(180)
    assert [letter["reason"] for _, letter, _ in fleet.read("dead-letter")] == ["crashed_the_worker"]
    assert len(fleet.audit().enriched) == 120
