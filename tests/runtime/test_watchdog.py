"""The watchdog: quiet while things move, loud and then final when they don't."""

from triage.clock import ManualClock
from triage.runtime.health import Health
from triage.runtime.watchdog import EXIT_STUCK, Watchdog, stacks


def rig():
    clock = ManualClock()
    health = Health(clock, stuck_after_s=60)
    ends = []
    return clock, health, Watchdog(health, clock, 60, 30, ends.append), ends


def test_a_loop_that_beats_is_let_be():
    clock, health, watchdog, ends = rig()
    for _ in range(10):
        clock.advance(59)
        health.beat()
        watchdog.look()
    assert ends == []


def test_a_loop_that_stands_still_fails_live_and_ends_later(capsys):
    clock, health, watchdog, ends = rig()
    clock.advance(60)
    watchdog.look()
    assert not health.live()[0]
    assert ends == []
    clock.advance(30)
    watchdog.look()
    assert ends == [EXIT_STUCK] == [70]


def test_work_that_hangs_is_noticed_though_the_loop_beats():
    clock, health, watchdog, ends = rig()
    health.began("guarded")
    for _ in range(9):
        clock.advance(10)
        health.beat()
        watchdog.look()
    assert health.standing_still() == ("guarded", 90)
    assert ends == [EXIT_STUCK]


def test_what_moves_again_in_time_goes_on():
    clock, health, watchdog, ends = rig()
    health.began("guarded")
    clock.advance(70)
    watchdog.look()
    health.ended("guarded")
    health.beat()
    clock.advance(25)
    watchdog.look()
    clock.advance(50)
    watchdog.look()
    assert ends == []
    assert health.live()[0] is False
    health.beat()
    assert health.live()[0]


def test_stacks_name_every_thread():
    found = stacks()
    assert any("test_stacks_name_every_thread" in line for line in found["MainThread"])
