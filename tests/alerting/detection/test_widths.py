"""Sums of windows: which there are for a step, and how much each has to stand out."""

from statistics import NormalDist

import pytest

from triage.alerting.detection.widths import widths_for


def test_windows_of_an_hour_or_more_are_summed_up_to_six():
    widths = widths_for(3600, 3.8)
    assert (widths.sizes, widths.widest, widths.last) == ((1, 2, 6), 6, [0, 1, 5])
    assert widths.offsets.tolist() == [[pytest.approx(0.9)], [pytest.approx(0.0)], [pytest.approx(1.5)]]
    assert widths_for(86_400, 3.8).offsets.tolist() == widths.offsets.tolist()


@pytest.mark.parametrize(("step_s", "sizes"), [(60, 5), (900, 5), (901, 3)])
def test_windows_of_a_quarter_of_an_hour_or_less_are_summed_further(step_s, sizes):
    assert widths_for(step_s, 3.8).sizes == (1, 2, 6, 12, 36)[:sizes]


def test_sums_shorter_than_an_hour_must_be_as_much_rarer():
    """Four windows of 15 minutes an hour: each fires with a quarter of an hour's probability."""
    normal = NormalDist()
    rarer = [-normal.inv_cdf(normal.cdf(-3.8) / often) - 3.8 for often in (4, 2)]
    expected = [2.0 + rarer[0], 1.2 + rarer[1], 0.6, 0.0, 0.3]
    assert widths_for(900, 3.8).offsets[:, 0].tolist() == pytest.approx(expected, abs=1e-6)
    assert expected[0] == pytest.approx(2.331, abs=1e-3)


def test_a_threshold_beyond_what_a_double_can_tell_has_plain_offsets():
    assert widths_for(60, 40.0).offsets[:, 0].tolist() == [2.0, 1.2, 0.6, 0.0, 0.3]
