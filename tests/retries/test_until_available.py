"""What a dependency refuses at the start of a process is asked again, for a while."""

import pytest
import structlog

from triage.clock import ManualClock
from triage.errors import ConfigError, Unavailable
from triage.retries.until_available import until_available


@pytest.fixture
def clock():
    return ManualClock()


def failing(clock, times, error=None, takes_s=0.0):
    """A question that fails this often, and the seconds that it was given each time."""
    given = []

    def ask(left_s):
        given.append(left_s)
        clock.advance(takes_s)
        if len(given) <= times:
            raise error or Unavailable("kafka", "node 2 is not ready")
        return "answer"

    return ask, given


def test_it_is_asked_again_and_the_outage_logged_in_two_lines(clock):
    ask, given = failing(clock, 3)
    with structlog.testing.capture_logs() as logs:
        assert until_available(ask, clock, 60) == "answer"
    assert len(given) == 4
    assert given == sorted(given, reverse=True)
    assert given[0] == 60
    assert [entry["event"] for entry in logs] == ["dependency_unavailable", "dependency_available_again"]
    assert logs[0]["error"] == "kafka: node 2 is not ready"


def test_not_for_longer_than_the_timeout(clock):
    ask, given = failing(clock, 1_000)
    with pytest.raises(Unavailable, match="node 2"):
        until_available(ask, clock, 10)
    assert 9.5 <= clock.monotonic() <= 10
    assert 3 < len(given) < 30


def test_a_question_that_has_used_up_the_time_is_not_repeated(clock):
    ask, given = failing(clock, 1, takes_s=9.6)
    with pytest.raises(Unavailable):
        until_available(ask, clock, 10)
    assert given == [10]


def test_what_no_retry_solves_is_raised_at_once(clock):
    ask, given = failing(clock, 1, ConfigError("kafka: no such topic"))
    with pytest.raises(ConfigError):
        until_available(ask, clock, 10)
    assert len(given) == 1
