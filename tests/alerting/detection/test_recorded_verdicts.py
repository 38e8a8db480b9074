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
                [15.1313, 0.4941215, 27.53845, 13.04584, 1.293266, -0.01565657, 0.07325686, 0.05415868],
                [1.859155, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -390: (
                [13.70824, 0.5278247, 54.56551, 13.9991, -0.1201296, -0.05519329, -0.3132798, -0.5279931],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -150: (
                [9.18606, 0.3318001, 32.74709, 34.18121, -0.2247941, 0.0, 1.751051, 0.9797126],
                [None, None, 1.479834, None],
                "....",
                [0, 0, 0, 0],
            ),
            -58: (
                [17.30853, 0.375759, 26.51741, 40.53992, 0.1590641, 0.0, -0.08249776, 0.701209],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -20: (
                [35.70464, 0.4284588, 29.01576, 43.30927, 3.202743, 0.0, -0.238085, -0.180264],
                [2.244465, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -19: (
                [36.27427, 0.4048598, 16.64455, 43.46558, 3.701222, 0.0, 1.535626, -0.4061488],
                [3.075461, None, 0.8738243, None],
                "....",
                [0, 0, 0, 0],
            ),
            -8: (
                [11.00358, 0.4328361, 23.76728, 43.09716, -0.1677338, 2.631464, -0.2602508, 0.9102333],
                [None, 3.10528, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -1: (
                [19.35167, 0.4349088, 54.56138, 41.1811, 0.1215387, 2.128935, -0.8823157, -0.1220445],
                [None, 2.957679, None, None],
                "....",
                [0, 0, 0, 0],
            ),
        },
    ),
    "five minutes": (
        (300, 400, {"zone": "Asia/Shanghai"}),
        {
            -180: (
                [32.46896, 0.3439509, 26.87697, 29.83139, 0.2250715, 0.03552217, 0.3069181, 1.357577],
                [None, None, None, 5.16977],
                "....",
                [0, 0, 0, 0],
            ),
            -20: (
                [13.219, 0.3747477, 21.91624, 27.90758, 4.60439, 0.09883361, -0.4363911, 0.9066899],
                [1.409558, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -19: (
                [12.80397, 0.3686829, 49.06717, 28.89325, 4.461094, -0.02134509, -0.5019969, 1.004714],
                [1.617015, None, None, 0.5320302],
                "....",
                [0, 0, 0, 0],
            ),
            -11: (
                [15.8675, 0.3642171, 30.22982, 23.63745, -0.1182502, 2.083035, -0.28528, 0.8000924],
                [None, 2.120211, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -5: (
                [14.44616, 0.3842624, 35.51425, 32.21144, -0.9932632, 3.733667, 0.8060915, 1.146381],
                [None, 5.104191, None, 0.2902257],
                "....",
                [0, 0, 0, 0],
            ),
            -1: (
                [15.23524, 0.4738592, 28.82678, 30.43667, -0.5465423, 4.251227, 0.232794, 1.061683],
                [None, 7.055896, None, 0.3403181],
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
                [0, 0, 0, 2],
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
                [24.11259, 0.5257824, 30.3331, 13.82882, 0.2257235, -0.06442313, 0.1529838, -1.142904],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -20: (
                [23.55573, 0.3783809, 31.14357, 17.14015, 5.987709, 0.0, -0.4875329, 1.736264],
                [None, None, None, None],
                "F...",
                [2, 0, 0, 0],
            ),
            -8: (
                [24.25115, 0.4742795, 29.46449, 18.21134, -0.5018811, 2.663685, 0.5780415, 2.043621],
                [None, None, None, None],
                "....",
                [0, 0, 0, 0],
            ),
            -1: (
                [23.94438, 0.6929496, 30.14951, 18.8362, -0.974279, 1.676075, -0.7876233, 1.193349],
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
