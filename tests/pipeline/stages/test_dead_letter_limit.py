"""A worker that would dead-letter everything stops instead, and stays stopped until something changes."""

import json

import pytest
from worker_rig import TOPIC, Rig

from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import InvalidRecord, TooManyDeadLetters
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.stages.dead_letter_limit import DeadLetterLimit
from triage.redaction import Redactor
from triage.types import Position

GOOD = json.dumps({"text": "My parcel never arrived"}).encode()
BAD = b'{"body": "the source renamed its field"}'


def _rig(path=None, **settings):
    flags = {"dead_letters_in_a_row": 0, "dead_letter_ratio": 1, "dead_letter_window": 10, **settings}
    return Rig(
        last=lambda rig: [DeadLetterLimit(rig.settings.worker, path)],
        **{f"worker.{name}": value for name, value in flags.items()},
    )


def _batch(count, first=0):
    dead_letter_factory = DeadLetterFactory(Redactor(load_settings(None, {}).redaction), ManualClock(), Metrics())
    messages = [ConsumedMessage(Position(TOPIC, 0, first + number), 5, BAD, (), 1) for number in range(count)]
    invalid = InvalidRecord("missing_text", "text is missing")
    return Batch(consumed=messages, dead_letters=[dead_letter_factory.create(message, invalid) for message in messages])


def test_a_run_of_dead_letters_ends_the_worker_and_nothing_of_the_batch_is_committed():
    rig = _rig(dead_letters_in_a_row=20)
    rig.send(*[BAD] * 30)
    with pytest.raises(TooManyDeadLetters) as caught:
        rig.run()
    assert rig.source.committed == {}
    assert rig.source.produced == []
    assert caught.value.exit_code == 65
    message = str(caught.value)
    assert "30 records in a row became dead letters (missing_text 30)" in message
    assert f"the first of this batch is {TOPIC}/0/0" in message
    assert "worker.dead_letters_in_a_row" in message


def test_one_good_record_breaks_the_run():
    rig = _rig(dead_letters_in_a_row=20)
    rig.send(*[BAD] * 19, GOOD, *[BAD] * 19)
    rig.run()
    assert len(rig.produced("dead-letter")) == 38


def test_a_run_counts_also_with_good_records_behind_it_in_its_batch():
    rig = _rig(dead_letters_in_a_row=20)
    rig.send(*[BAD] * 25, *[GOOD] * 5)
    with pytest.raises(TooManyDeadLetters, match="25 records in a row became dead letters"):
        rig.run()


def test_records_read_again_after_a_failed_transaction_count_once():
    limit = DeadLetterLimit(_rig(dead_letters_in_a_row=20).settings.worker)
    batch = _batch(15)
    for _ in range(9):
        limit.process(batch)
    with pytest.raises(TooManyDeadLetters, match="20 records in a row"):
        limit.process(_batch(5, first=15))


def test_the_share_is_judged_once_the_window_is_full():
    rig = _rig(dead_letter_ratio=0.5)
    rig.send(*[BAD] * 9)
    rig.run()
    assert len(rig.produced("dead-letter")) == 9
    rig = _rig(dead_letter_ratio=0.5)
    rig.send(*[BAD, GOOD, BAD] * 4)
    with pytest.raises(TooManyDeadLetters, match="7 of the last 10 records became dead letters"):
        rig.run()
    rig = _rig(dead_letter_ratio=0.5)
    rig.send(*[BAD, GOOD] * 20)
    rig.run()
    assert len(rig.produced("dead-letter")) == 20


def test_a_restart_does_not_throw_away_a_little_more(tmp_path):
    path = tmp_path / "limit"
    limits = {"dead_letters_in_a_row": 20}
    rig = _rig(path, **limits)
    rig.send(*[BAD] * 30)
    with pytest.raises(TooManyDeadLetters):
        rig.run()
    again = _rig(path, **limits)
    again.send(BAD)
    with pytest.raises(TooManyDeadLetters):
        again.run()
    mended = _rig(path, **limits)
    mended.send(GOOD, *[BAD] * 19)
    mended.run()
    assert len(mended.produced("enriched")) == 1
    fresh = _rig(path, **limits)
    fresh.send(GOOD)
    fresh.run()
    assert not path.exists()


def test_after_a_tripped_share_fewer_dead_letters_lead_out_of_it(tmp_path):
    path = tmp_path / "limit"
    rig = _rig(path, dead_letter_ratio=0.5)
    rig.send(*[BAD] * 10)
    with pytest.raises(TooManyDeadLetters):
        rig.run()
    again = _rig(path, dead_letter_ratio=0.5)
    again.send(BAD, BAD, GOOD)
    with pytest.raises(TooManyDeadLetters):
        again.run()
    mended = _rig(path, dead_letter_ratio=0.5)
    mended.send(*[GOOD, GOOD, BAD] * 10)
    mended.run()
    assert len(mended.produced("enriched")) == 20
    assert not path.exists() or json.loads(path.read_text())["consecutive"] <= 1


def test_a_damaged_file_is_ignored(tmp_path):
    path = tmp_path / "limit"
    path.write_bytes(b"{")
    rig = _rig(path, dead_letters_in_a_row=20)
    rig.send(*[BAD] * 5)
    rig.run()
    assert len(rig.produced("dead-letter")) == 5
