"""A growing lag is one line in the log, and its end is one."""

import pytest
from structlog.testing import capture_logs

from triage.pipeline.lag_log import LagLog


def _events(bound, lags):
    log = LagLog(bound)
    with capture_logs() as logs:
        for lag in lags:
            log.update(lag, 3)
    return [(entry["event"], entry["records"]) for entry in logs]


def test_one_line_above_the_bound_and_one_at_half_of_it():
    assert _events(100, [0, 100, 101, 500, 90, 130, 51, 50, 20, 101]) == [
        ("lag_above_bound", 101), ("lag_below_bound", 50), ("lag_above_bound", 101),
    ]  # fmt: skip


@pytest.mark.parametrize("lags", [[], [10**9], [5, 10**6, 0]])
def test_without_a_bound_nothing_is_logged(lags):
    assert _events(0, lags) == []
