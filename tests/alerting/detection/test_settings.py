"""Settings of the detector: what is the default, and the first value that is refused."""

import pytest
from pydantic import ValidationError

from triage.alerting.detection import SpikeSettings


def test_the_defaults_are_those_that_the_benchmarks_chose():
    assert SpikeSettings().model_dump() == {
        "false_alerts": "0.005 a week per key", "z_count": None,
        "z_ratio": 3.0, "min_count": 3, "seasons": True, "zone": "UTC", "holidays": (),
        "learning_days": 1.0, "learning_windows": 24, "delay_windows": 6, "accept_windows": 48, "accept_days": 1.0,
        "level_days": 14.0, "level_windows": 40, "spread_days": 21.0, "spread_windows": 800, "heavy_tail": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "allowed", "refused"),
    [
        ("z_count", [0.01, 30], [0, 30.01]),
        ("z_ratio", [0, 30], [-0.01, 30.01]),
        ("min_count", [1], [0]),
        ("learning_days", [0], [-0.01]),
        ("learning_windows", [1], [0]),
        ("delay_windows", [1, 48], [0, 49]),
        ("accept_windows", [49], [5]),
        ("accept_days", [0], [-0.01]),
        ("level_days", [0.01], [0]),
        ("level_windows", [1], [0]),
        ("spread_days", [0.01], [0]),
        ("spread_windows", [1], [0]),
    ],
)
def test_values_have_bounds(name, allowed, refused):
    others = {"accept_windows": 99} if name == "delay_windows" else {}
    for value in allowed:
        assert getattr(SpikeSettings(**others, **{name: value}), name) == value
    for value in refused:
        with pytest.raises(ValidationError, match=name):
            SpikeSettings(**others, **{name: value})


def test_six_windows_are_the_least_after_which_a_level_is_new():
    assert SpikeSettings(accept_windows=6, delay_windows=5).accept_windows == 6
    with pytest.raises(ValidationError, match="greater than or equal to 6"):
        SpikeSettings(accept_windows=5, delay_windows=4)


def test_a_fixed_score_has_no_budget_and_both_at_once_are_refused():
    assert SpikeSettings(z_count=3.8).budget is None
    assert SpikeSettings(false_alerts="1 a week").budget.per_week == 1
    with pytest.raises(ValidationError, match="either false_alerts or z_count"):
        SpikeSettings(z_count=3.8, false_alerts="1 a week")
    with pytest.raises(ValidationError, match="not 'rarely'"):
        SpikeSettings(false_alerts="rarely")


def test_settings_are_frozen_and_unknown_ones_are_refused():
    with pytest.raises(ValidationError, match="z_counts"):
        SpikeSettings(z_counts=3)
    with pytest.raises(ValidationError, match="frozen"):
        SpikeSettings().z_count = 4.0
