import logging
import sys

import pytest

from triage.logging import RepeatFilter


def _passed(repeats, name, at_s, message="connection to %s lost", *arguments):
    record = logging.makeLogRecord({"name": name, "msg": message, "args": arguments or ("b1",), "created": at_s})
    return record.getMessage() if repeats.filter(record) else None


def test_repeats_of_a_message_pass_once_per_interval_with_their_number():
    repeats = RepeatFilter()
    passed = [line for tick in range(2_000) if (line := _passed(repeats, "kafka.net.transport", 100 + tick / 50))]
    assert passed == ["connection to b1 lost", "connection to b1 lost [and 1499 times before]"]


def test_different_messages_and_loggers_all_pass():
    repeats = RepeatFilter()
    assert _passed(repeats, "kafka.cluster", 5.0)
    assert _passed(repeats, "kafka.cluster", 5.1) is None
    assert _passed(repeats, "kafka.coordinator", 5.2)
    assert _passed(repeats, "kafka.cluster", 5.3, "no metadata from %s", "b1")


def test_a_clock_set_back_suppresses_nothing():
    repeats = RepeatFilter()
    assert _passed(repeats, "aiokafka", 1_000.0)
    assert _passed(repeats, "aiokafka", 10.0)


@pytest.mark.parametrize("name", ["triage.worker", "triage.feed", "kafkaesque"])
def test_messages_of_triage_all_pass(name):
    repeats = RepeatFilter()
    assert all(_passed(repeats, name, 1.0) for _ in range(100))


def test_memory_is_bounded_whatever_is_logged():
    repeats = RepeatFilter()
    for number in range(5_000):
        _passed(repeats, "kafka", 1.0, f"connection {number} lost %s")
    assert len(repeats._seen) <= 1_000


def _record_of(error, level, name="elastic_transport.transport"):
    try:
        raise error
    except type(error):
        values = {"name": name, "msg": "Retrying request (attempt %d)", "args": (0,), "levelno": level, "created": 1.0}
        return logging.makeLogRecord({**values, "exc_info": sys.exc_info()})


def test_a_librarys_warning_has_the_errors_text_instead_of_its_stack():
    record = _record_of(ConnectionError("[Errno 111] Connection refused"), logging.WARNING)
    assert RepeatFilter().filter(record)
    assert record.getMessage() == "Retrying request (attempt 0): [Errno 111] Connection refused"
    assert record.exc_info is None


@pytest.mark.parametrize(("level", "name"), [(logging.ERROR, "faust.app"), (logging.WARNING, "triage.worker")])
def test_stacks_of_errors_and_of_triage_stay(level, name):
    record = _record_of(ValueError("x"), level, name)
    assert RepeatFilter().filter(record)
    assert record.exc_info is not None
