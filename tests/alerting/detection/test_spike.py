"""The spike detector: what it says of plain series, and what must never change what it says."""

import numpy as np
import pytest

from triage.alerting.detection import SpikeDetector, SpikeSettings

HOUR_MS = 3_600_000
START_MS = 1_767_225_600_000  # Thursday, 2026-01-01


def run(series, total=None, settings=None, step_s=3600):
    detector = SpikeDetector(settings or SpikeSettings(), step_s)
    keys = [str(i) for i in range(series.shape[1])]
    verdicts = [
        detector.step(START_MS + t * step_s * 1000, keys, series[t], None if total is None else total[t])
        for t in range(len(series))
    ]
    return detector, verdicts


def poisson(mean, windows, keys=1, seed=1):
    return np.random.default_rng(seed).poisson(mean, (windows, keys)).astype(float)


def test_a_spike_fires_at_once_and_the_quiet_before_it_does_not():
    series = poisson(20, 400)
    series[350:353] += 60
    _, verdicts = run(series)
    firing = np.array([verdict.firing[0] for verdict in verdicts])
    assert not firing[:350].any()
    assert firing[350:353].all()
    assert verdicts[350].expected[0] == pytest.approx(20, rel=0.15)


def test_a_surge_of_all_traffic_does_not_fire():
    series = poisson(20, 400)
    total = series + poisson(60, 400, seed=2)
    series[350:356] *= 3
    total[350:356] *= 3
    _, verdicts = run(series, total)
    assert max(verdict.z_count[0] for verdict in verdicts[350:356]) > 3.5
    assert not any(verdict.firing[0] for verdict in verdicts)


def test_learning_scores_nothing():
    series = poisson(5, 30)
    series[10] = 500
    _, verdicts = run(series)
    assert all(verdict.learning[0] and verdict.score[0] == 0 for verdict in verdicts[:24])
    assert not verdicts[24].learning[0]


def test_a_window_out_of_order_is_refused():
    detector, _ = run(poisson(5, 5))
    with pytest.raises(ValueError, match="not after"):
        detector.step(START_MS, ["0"], np.array([1.0]), None)


def test_windows_left_out_are_stepped_as_empty():
    series = poisson(5, 60)
    series[40:50] = 0
    whole, _ = run(series, total=series)
    detector = SpikeDetector(SpikeSettings(), 3600)
    for t in [*range(40), *range(50, 60)]:
        detector.step(START_MS + t * HOUR_MS, ["0"], series[t], series[t])
    assert detector.snapshot("0") == whole.snapshot("0")


def test_a_lasting_change_becomes_the_new_level():
    series = np.concatenate([poisson(10, 400), poisson(60, 200, seed=2)])
    _, verdicts = run(series)
    firing = np.array([verdict.firing[0] for verdict in verdicts])
    assert firing[400:410].any()
    assert not firing[480:].any()
    assert verdicts[-1].expected[0] == pytest.approx(60, rel=0.2)


def test_a_daily_peak_is_expected_once_it_is_known():
    hours = np.arange(24 * 21)
    mean = np.where(hours % 24 == 18, 60.0, 5.0)[:, None]
    series = np.random.default_rng(3).poisson(mean).astype(float)
    _, verdicts = run(series)
    assert not any(verdict.firing[0] for verdict in verdicts[24 * 14 :])
    assert verdicts[24 * 20 + 18].expected[0] > 30


@pytest.mark.parametrize(("zone", "peak_utc"), [("Europe/Berlin", 7), ("UTC", 8)])
def test_seasons_follow_the_zone_over_a_change_of_the_clocks(zone, peak_utc):
    """A peak at 09:00 in Berlin comes an hour earlier by UTC from 29 March 2026 on; else it is expected at 08:00."""
    start_ms = 1_772_323_200_000  # Sunday, 2026-03-01
    spring = 24 * 28
    hours = np.arange(24 * 35)
    berlin = (hours + np.where(hours >= spring, 2, 1)) % 24
    series = np.random.default_rng(4).poisson(np.where(berlin == 9, 200.0, 20.0)).astype(float)
    detector = SpikeDetector(SpikeSettings(zone=zone), 3600)
    expected = [
        detector.step(start_ms + hour * HOUR_MS, ["k"], series[hour : hour + 1], None).expected[0] for hour in hours
    ]
    day = np.array(expected[spring + 24 : spring + 48])
    assert day.argmax() == peak_utc


def test_a_holiday_is_treated_as_a_sunday():
    from datetime import date

    hours = np.arange(24 * 29)
    sunday = (hours // 24 + 3) % 7 == 6  # the first day is a Thursday
    series = np.random.default_rng(5).poisson(np.where(sunday, 5.0, 50.0)[:, None]).astype(float)
    at = 24 * 28 + 12
    plain, told = (
        run(series, settings=SpikeSettings(holidays=days))[1][at].expected[0] for days in ((), (date(2026, 1, 29),))
    )
    assert plain > 35
    assert told < 25


def test_a_heavy_tailed_key_fires_less_than_its_counts_alone_would():
    rng = np.random.default_rng(6)
    series = rng.poisson(20 * rng.lognormal(0, 0.8, (2000, 10))).astype(float)
    with_, without = (
        sum(verdict.firing.sum() for verdict in run(series, settings=SpikeSettings(heavy_tail=heavy))[1][500:])
        for heavy in (True, False)
    )
    assert with_ <= without
    assert with_ / 15_000 < 0.002


def test_traffic_at_weekends_only_is_known_after_three_weeks():
    hours = np.arange(24 * 7 * 5)
    weekend = (hours // 24 + 3) % 7 >= 5  # the first day is a Thursday
    series = np.random.default_rng(8).poisson(np.where(weekend, 30.0, 0.5)[:, None]).astype(float)
    _, verdicts = run(series)
    expected = np.array([verdict.expected[0] for verdict in verdicts])[24 * 28 :]
    assert expected[weekend[24 * 28 :]].mean() == pytest.approx(30, rel=0.4)
    assert expected[~weekend[24 * 28 :]].mean() < 3


def test_days_of_far_more_traffic_are_learned_from_all_records_and_do_not_widen_the_dispersion():
    hours = np.arange(24 * 7 * 3)
    weekend = (hours // 24 + 3) % 7 >= 5
    draw = np.random.default_rng(8)
    series, others = (draw.poisson(np.where(weekend, mean, mean / 50)[:, None]).astype(float) for mean in (30, 100))
    detector, verdicts = run(series, series + others)
    expected = np.array([verdict.expected[0] for verdict in verdicts])[24 * 14 :]
    assert expected[weekend[24 * 14 :]].mean() == pytest.approx(30, rel=0.4), "at the third weekend"
    assert detector.dispersion()[0][0] < 10, "it was 44 when weekends were learned as dispersion"


def test_a_lower_level_is_accepted_too():
    series = np.concatenate([poisson(60, 700), poisson(10, 150, seed=2)])
    _, verdicts = run(series)
    assert verdicts[-1].expected[0] == pytest.approx(10, rel=0.6)


@pytest.mark.parametrize("mean", [0.2, 20.0])
def test_false_alerts_stay_within_a_large_budget_of_rare_and_of_frequent_counts(mean):
    """Half a false alert a key and week, of 40 keys in the last four of eight weeks."""
    settings = SpikeSettings(false_alerts="0.5 a week per key")
    _, verdicts = run(poisson(mean, 24 * 7 * 8, keys=40, seed=9), settings=settings)
    firing = np.array([verdict.firing for verdict in verdicts])[24 * 28 :]
    begins = firing[1:] & ~firing[:-1]
    assert 0.02 < begins.sum() / 40 / 4 < 0.75


def test_a_surge_of_much_more_traffic_than_was_known_is_no_spike():
    """The usual count of a key with next to no traffic says little about a hundred times as much."""
    series = poisson(0.05, 400)
    total = series + poisson(0.2, 400, seed=2)
    series[350:400], total[350:400] = 5, 25
    _, verdicts = run(series, total)
    assert not any(verdict.firing[0] for verdict in verdicts[350:])


def test_a_window_of_a_surge_in_which_all_records_are_negative_is_no_spike():
    """Its sums of two and six hours have many other records: that this hour has none is chance."""
    series = poisson(0.1, 400)
    total = series + poisson(0.1, 400, seed=2)
    series[350:400], total[350:400] = 6, 12
    series[354::8], total[354::8] = 9, 9
    _, verdicts = run(series, total)
    assert not any(verdict.firing[0] for verdict in verdicts[350:])
