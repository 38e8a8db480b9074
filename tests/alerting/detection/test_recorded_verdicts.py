"""Scores of fixed series, as they were recorded.

Baselines are stored and outlive an upgrade, and the thresholds of docs/alerts.md were chosen with these scores. A
change that moves them is a change of the detector: run the benchmarks, raise the version of the state if stored
baselines mean something else, and record the numbers again.
"""

from datetime import date

import numpy as np
import pytest

from triage.alerting.detection import SpikeDetector, SpikeSettings

START_MS = 1_767_225_600_000  # Thursday, 2026-01-01


def noise(number):
    """The same irregular numbers between 0 and 1 everywhere."""
    return (np.sin(number * 12.9898) * 43758.5453) % 1.0


def series(step_s, windows):
    """Counts and totals of four keys: a daily peak, a rare one, one with heavy tails, one whose level moves."""
    n = np.arange(windows)
    hour = n * step_s / 3600 % 24
    daily = np.floor(20 + 15 * np.sin((hour - 12) / 24 * 2 * np.pi) + 8 * noise(n))
    rare = np.floor(1.6 * noise(n + 0.3))
    heavy = np.floor(10 / (0.05 + noise(n + 0.6)))
    level = np.floor((10 + 8 * noise(n + 0.9)) * np.where(n < windows // 2, 1, 3))
    counts = np.stack([daily, rare, heavy, level], axis=1)
    counts[-20:-17, 0] += [45, 30, 20]
    counts[-12:, 1] += 2
    totals = np.floor(counts * 1.5) + np.floor(30 + 20 * noise(n + 0.1))[:, None]
    counts[-8:-6, 3] *= 2
    totals[-8:-6, 3] *= 2
    totals[-60:-55, 2] = np.nan
    return counts, totals


def trace(step_s, windows, at, **settings):
    detector = SpikeDetector(SpikeSettings(**settings), step_s)
    counts, totals = series(step_s, windows)
    found = {}
    for number in range(windows):
        keys = ["daily", "rare", "heavy", "level"]
        said = detector.step(START_MS + number * step_s * 1000, keys, counts[number], totals[number])
        if number - windows in at:
            found[number - windows] = [
                [*said.expected.tolist(), *said.z_count.tolist()],
                [value if np.isfinite(value) else None for value in said.z_ratio.tolist()],
                "".join("F" if firing else "." for firing in said.firing),
                said.windows.sum(axis=0).tolist(),
            ]
    return found


RECORDED = {
    "hours": (
        (3600, 420, {}),
        {
            -400: (
                [15.60441, 0.4160467, 33.88537, 13.01634, 1.246734, 0.0, -0.1730525, 0.05782088],
                [1.859155, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -390: (
                [13.2609, 0.6755241, 40.26483, 13.74519, -0.08892721, -0.1996512, -0.2011327, -0.4111855],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -150: (
                [8.408131, 0.3195016, 29.13145, 33.39647, 0.003264475, 0.0, 1.844691, 1.059765],
                [None, None, 1.483709, 1.455768],
                "....",
                [0, 0, 0, 0],
            ),
            -58: (
                [17.85519, 0.3389954, 28.35191, 40.45583, 0.02523192, 0.0, -0.1528794, 0.7086606],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -20: (
                [37.34841, 0.5346111, 32.68062, 41.86624, 2.123465, -0.06742946, -0.3164791, -0.0826612],
                [1.700344, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -19: (
                [37.74941, 0.5094128, 19.59525, 42.15854, 2.74456, -0.03694529, 1.329932, -0.3190653],
                [2.430165, None, 0.8724552, None],
                "....",
                [0, 0, 0, 0],
            ),
            -8: (
                [10.92713, 0.4123105, 29.15966, 43.7269, -0.1085643, 2.647616, -0.3768737, 0.8651764],
                [None, 3.10528, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -1: (
                [20.12406, 0.4644703, 52.92749, 41.75694, -0.0004552964, 2.023623, -0.8513185, -0.09305526],
                [None, 2.957686, None, None],
                "....",
                [0, 0, 0, 0],
            ),
        },
    ),
    "five minutes": (
        (300, 400, {"zone": "Asia/Shanghai"}),
        {
            -180: (
                [34.54673, 0.3868495, 29.58949, 33.74465, 0.3633321, 0.08281234, 0.4897091, 1.287089],
                [None, None, None, 5.485715],
                "....",
                [0, 0, 0, 0],
            ),
            -20: (
                [14.43735, 0.4286076, 22.3815, 35.52597, 3.261068, 0.1057908, -0.172594, 0.4991511],
                [0.2913376, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -19: (
                [13.8907, 0.4193037, 49.9902, 35.75965, 3.464883, -0.0008368819, -0.2391547, 0.6901763],
                [0.8139847, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -11: (
                [17.81842, 0.4128588, 31.14878, 33.17577, -0.03380661, 1.01725, -0.131231, 0.7469555],
                [None, 1.220211, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -5: (
                [15.49308, 0.4364932, 36.16172, 38.92469, -0.9831619, 3.269546, 0.8383547, 1.258856],
                [None, 5.362896, None, 1.048922],
                "....",
                [0, 0, 0, 0],
            ),
            -1: (
                [16.44404, 0.5844696, 29.36768, 38.34614, -0.8574992, 4.104987, 0.4939342, 1.268855],
                [None, 7.355896, None, 1.080416],
                ".F..",
                [0, 1, 0, 0],
            ),
        },
    ),
    "days": (
        (86400, 150, {}),
        {
            -70: (
                [21.39374, 0.599656, 18.65973, 13.27449, 0.1792738, 0.0, -0.06713404, 5.036908],
                [None, None, None, 6.830179],
                "...F",
                [0, 0, 0, 3],
            ),
            -20: (
                [23.3349, 0.4037171, 22.30787, 45.00692, 4.76164, -0.7967851, -0.180274, 0.2898986],
                [2.266344, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -8: (
                [29.37658, 0.4077601, 18.75747, 45.5334, -0.5531119, 2.722221, 0.6494666, 1.761445],
                [None, 3.111624, None, 1.009877],
                "....",
                [0, 0, 0, 0],
            ),
            -1: (
                [25.59228, 0.869921, 23.17014, 57.82228, -0.2823766, 1.538862, -0.1980869, -0.95742],
                [None, 2.404741, None, None],
                "....",
                [0, 0, 0, 0],
            ),
        },
    ),
    "weeks without seasons": (
        (604800, 80, {"seasons": False, "heavy_tail": False, "z_ratio": 0}),
        {
            -50: (
                [24.11259, 0.5257824, 31.87943, 13.82882, 0.2207801, -0.05535263, 0.09622458, -1.110408],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -20: (
                [23.55573, 0.3783809, 32.46393, 18.50022, 5.811316, 0.0, -0.5065202, 3.72667],
                [None, None, None, None],
                "F..F",
                [2, 0, 0, 2],
            ),
            -8: (
                [24.25115, 0.4742795, 30.60415, 20.21423, -0.4961148, 2.461602, 0.4909328, 2.382873],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -1: (
                [23.94438, 0.7093996, 31.21419, 20.96808, -0.9636911, 1.809613, -0.7801517, 1.19361],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
        },
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_scores_are_those_that_were_recorded(name):
    (step_s, windows, settings), recorded = RECORDED[name]
    found = trace(step_s, windows, set(recorded), **settings)
    for number, (numbers, ratios, firing, sums) in recorded.items():
        assert found[number][0] == pytest.approx(numbers, rel=1e-4, abs=1e-4)
        assert found[number][1] == [ratio if ratio is None else pytest.approx(ratio, rel=1e-4) for ratio in ratios]
        assert found[number][2:] == [firing, sums]


def test_the_first_windows_expect_the_mean_of_those_before_and_then_the_level():
    """Old windows fade with a half-life of 24; the level has learnt the first window when the delay of six is over."""
    detector = SpikeDetector(SpikeSettings(), 3600)
    counts = [10, 20, 30, 4, 4, 4, 4, 4]
    expected = [
        detector.step(START_MS + n * 3_600_000, ["k"], np.array([float(count)]), None).expected[0]
        for n, count in enumerate(counts)
    ]
    kept = 0.5 ** (1 / 24)
    assert expected[:4] == pytest.approx([0, 10, (10 * kept + 20) / 2, (10 * kept**2 + 20 * kept + 30) / 3])
    assert expected[7] == pytest.approx((0.5 + 10 / 2) / (0.05 + 1 / 2)), "counts and exposures over a dispersion of 2"


def test_holidays_are_settings():
    assert SpikeSettings(holidays=["2026-01-01"]).holidays == (date(2026, 1, 1),)
    with pytest.raises(ValueError, match="accept_windows must be larger than delay_windows"):
        SpikeSettings(accept_windows=6, delay_windows=6)
    with pytest.raises(ValueError, match=r"'Mars'.*IANA time zone"):
        SpikeSettings(zone="Mars")
    assert SpikeSettings(accept_windows=7, delay_windows=6).accept_windows == 7


def test_a_step_is_at_least_a_second():
    assert SpikeDetector(SpikeSettings(), 1).step_s == 1
    with pytest.raises(ValueError, match="step_s must be at least 1, not 0"):
        SpikeDetector(SpikeSettings(), 0)
