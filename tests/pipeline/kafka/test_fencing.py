"""One slot, one process: but faults can fence a worker too."""

import pytest

from triage.clock import ManualClock
from triage.errors import ConfigError, Fenced
from triage.pipeline.kafka.fencing import MemberIdentity

REFUSED = RuntimeError("refused")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def slot(clock):
    return MemberIdentity("fleet-a", clock, most=3, within_s=30)


def test_fenced_now_and_then_a_worker_joins_again(slot, clock):
    for _ in range(10):
        assert isinstance(slot.fenced(REFUSED), Fenced)
        clock.advance(16)


def test_fenced_again_and_again_another_process_has_its_slot_and_the_fix_is_said(slot, clock):
    for _ in range(2):
        assert isinstance(slot.fenced(REFUSED), Fenced)
        clock.advance(15)
    error = slot.fenced(REFUSED)
    assert isinstance(error, ConfigError)
    assert "another worker runs as fleet-a" in str(error)
    assert "--slot" in str(error)
