"""After a high score a key must score higher to fire again, for some hours."""

import numpy as np
import pytest

from triage.alerting.detection import SpikeDetector, SpikeSettings
from triage.alerting.detection.echo import Echo

START_MS = 1_767_225_600_000


def after(scores, step_s=3600):
    """The discounts of one key in each window."""
    echo = Echo(step_s)
    rows = {name: np.zeros(1) for name in Echo.ROWS}
    found = []
    for score in scores:
        found.append(float(echo.discount(rows)[0]))
        echo.learn(rows, np.array([score]))
    return found


def test_nothing_is_discounted_before_the_first_high_score_and_while_its_run_lasts():
    assert after([0.0, 2.9, 0.0, 5.0, 4.0, 0.0, 3.5, 0.0]) == [0.0] * 8


def test_six_quiet_windows_later_the_height_of_the_run_is_taken_off_and_halves_in_a_day():
    found = after([5.0, *[0.0] * 40])
    assert found[:7] == [0.0] * 7
    assert found[7:10] == pytest.approx([2 * 0.5 ** (n / 24) for n in (6, 7, 8)])
    assert found[10] / found[34] == pytest.approx(2)


def test_a_far_higher_score_is_remembered_as_two_above_the_least_so_that_a_second_one_fires():
    assert after([30.0, *[0.0] * 12])[-1] == pytest.approx(2 * 0.5 ** (11 / 24))


def test_days_and_weeks_have_no_echo_when_it_would_begin():
    assert after([30.0, *[0.0] * 6], 86_400)[-1] == 0
    assert after([30.0, *[0.0] * 7], 86_400)[-1] < 0.05
    assert after([30.0, *[0.0] * 7], 604_800)[-1] < 1e-9


def fired(later):
    """Windows of the second burst in which a key fires; the second comes `later` hours after the first."""
    rng = np.random.default_rng(8)
    counts = rng.poisson(20, 1000).astype(float)
    counts[700:702] += 60
    counts[700 + later : 702 + later] += 28
    detector = SpikeDetector(SpikeSettings(z_count=3.8), 3600)
    steps = [
        detector.step(START_MS + t * 3_600_000, ["k"], counts[t : t + 1], None).firing[0] for t in range(705 + later)
    ]
    assert any(steps[700:702])
    return any(steps[700 + later :])


def test_a_smaller_burst_of_the_same_day_does_not_fire_and_one_of_another_week_does():
    assert not fired(10)
    assert fired(170)
