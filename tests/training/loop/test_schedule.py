import pytest

from triage.training.loop.schedule import Schedule


def test_the_learning_rate_warms_up_decays_and_ends_with_the_time():
    schedule = Schedule(steps=1_000, warmup_steps=10, max_minutes=60)
    assert schedule.factor(0, 0.0) == pytest.approx(0.1)
    assert schedule.factor(100, 30.0) == pytest.approx(0.5)
    assert schedule.factor(900, 6.0) == pytest.approx(0.1)
    assert not schedule.done(100, 59.0)
    assert schedule.done(100, 60.0)
    assert schedule.done(1_000, 1.0)
    assert Schedule(steps=10, warmup_steps=0).factor(0, 1e9) == 1.0
