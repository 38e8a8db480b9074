"""One slot means one process; but faults can fence a worker, too."""

import pytest

from triage.clock import ManualClock
from triage.errors import ConfigError, Fenced
from triage.pipeline.kafka.member_identity import MemberIdentity

REFUSED = RuntimeError("refused")


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def identity(clock):
    return MemberIdentity("fleet-a", clock, limit=3, within_s=30)


def test_fenced_now_and_then_a_worker_joins_again(identity, clock):
    for _ in range(10):
        assert isinstance(identity.fenced(REFUSED), Fenced)
        clock.advance(16)


def test_fenced_again_and_again_another_process_has_its_slot_and_the_fix_is_said(identity, clock):
    for _ in range(2):
        assert isinstance(identity.fenced(REFUSED), Fenced)
        clock.advance(15)
    error = identity.fenced(REFUSED)
    assert isinstance(error, ConfigError)
    assert "another worker runs as fleet-a" in str(error)
    assert "--slot" in str(error)
