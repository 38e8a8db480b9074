import logging

import pytest

from triage.logging import Sparing


def _said(sparing, name, at_s, message="connection to %s lost", *arguments):
    record = logging.makeLogRecord({"name": name, "msg": message, "args": arguments or ("b1",), "created": at_s})
    return record.getMessage() if sparing.filter(record) else None


def test_a_library_that_floods_is_heard_once_in_a_while_with_how_often():
    sparing = Sparing()
    heard = [line for tick in range(2_000) if (line := _said(sparing, "kafka.net.transport", 100 + tick / 50))]
    assert heard == ["connection to b1 lost", "connection to b1 lost [and 1499 times before]"]


def test_what_differs_is_heard_each():
    sparing = Sparing()
    assert _said(sparing, "kafka.cluster", 5.0)
    assert _said(sparing, "kafka.cluster", 5.1) is None
    assert _said(sparing, "kafka.coordinator", 5.2)
    assert _said(sparing, "kafka.cluster", 5.3, "no metadata from %s", "b1")


def test_a_clock_that_goes_back_silences_nothing():
    sparing = Sparing()
    assert _said(sparing, "aiokafka", 1_000.0)
    assert _said(sparing, "aiokafka", 10.0)


@pytest.mark.parametrize("name", ["triage.worker", "triage.feed", "kafkaesque"])
def test_our_own_lines_all_pass(name):
    sparing = Sparing()
    assert all(_said(sparing, name, 1.0) for _ in range(100))


def test_memory_is_bounded_whatever_is_logged():
    sparing = Sparing()
    for number in range(5_000):
        _said(sparing, "kafka", 1.0, f"connection {number} lost %s")
    assert len(sparing._said) <= 1_000
