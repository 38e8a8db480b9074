"""The journal of records in flight, and how the quarantine is narrowed down to one record."""

import pytest

from triage.pipeline.batch import ConsumedMessage
from triage.pipeline.stages.in_flight_journal import InFlightJournal
from triage.types import Position


def messages(*offsets, partition=0):
    return [ConsumedMessage(Position("t", partition, offset), 0, b"") for offset in offsets]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "w-a.journal"


def quarantined(journal, offsets, partition=0):
    return [offset for offset in offsets if journal.is_quarantined(Position("t", partition, offset))]


def test_what_passed_is_not_suspected_by_a_successor(path):
    journal = InFlightJournal(path)
    journal.begin(messages(1, 2, 3))
    journal.complete()
    assert not InFlightJournal(path).has_quarantined


def test_what_was_in_hand_at_a_death_is_suspected_until_it_passes(path):
    InFlightJournal(path).begin([*messages(5, 6, 7, 8), *messages(2, partition=1)])
    journal = InFlightJournal(path)
    assert quarantined(journal, range(12)) == [5, 6, 7, 8]
    assert quarantined(journal, range(12), partition=1) == [2]
    journal.begin(messages(5, 6))
    journal.complete()
    assert quarantined(journal, range(12)) == [7, 8]
    assert quarantined(InFlightJournal(path), range(12)) == [7, 8]


def test_deaths_with_one_record_in_hand_are_counted(path):
    poison = Position("t", 0, 7)
    InFlightJournal(path).begin(messages(5, 6, 7, 8))
    assert InFlightJournal(path).crashes_of(poison) == 0
    for deaths in range(1, 4):
        InFlightJournal(path).begin(messages(7))
        successor = InFlightJournal(path)
        assert successor.crashes_of(poison) == deaths
        assert quarantined(successor, range(12)) == [5, 6, 7, 8]
        assert len(path.read_bytes().partition(b"\n")[0]) < 300


def test_a_death_without_anything_in_hand_counts_for_nothing(path):
    InFlightJournal(path).begin(messages(7))
    for _ in range(3):
        assert InFlightJournal(path).crashes_of(Position("t", 0, 7)) == 1


def test_what_lies_behind_the_partition_is_forgotten(path):
    InFlightJournal(path).begin(messages(7))
    journal = InFlightJournal(path)
    journal.discard_before({("t", 0): 8})
    assert not journal.has_quarantined
    assert journal.crashes_of(Position("t", 0, 7)) == 0


def test_a_full_disk_or_a_damaged_file_costs_only_the_journal(path, tmp_path):
    InFlightJournal(path).close()
    for damaged in (b'{"hand": [["t", 0, "x"\n', b'{"crashes": {"\xff": 1}}\n', b"\x00" * 100 + b"\n"):
        path.write_bytes(damaged)
        assert not InFlightJournal(path).has_quarantined
    (tmp_path / "file").write_text("no folder")
    unwritable = InFlightJournal(tmp_path / "file" / "w.journal")
    unwritable.begin(messages(1))
    unwritable.complete()
    assert not unwritable.has_quarantined


def test_the_file_of_an_earlier_version_is_read(path):
    path.parent.mkdir()
    path.write_bytes(b'{"hand":[["t",0,7,7]],"alone":true,"suspects":[["t",0,5,8]],"crashes":{"t/0/7":1}}\n')
    journal = InFlightJournal(path)
    assert quarantined(journal, range(12)) == [5, 6, 7, 8]
    assert journal.crashes_of(Position("t", 0, 7)) == 2
