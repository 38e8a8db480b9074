"""A lag that grows is named with its rate and the likeliest cause."""

import pytest

from triage.fleet import FleetView, PartitionLag, ProcessView
from triage.fleet.growing_lag import growing_lag


def _view(worker="w", lag=5_000, in_per_s=120.0, interval_s=10.0, **process):
    partition = PartitionLag(topic="t", partition=0, lag=lag, in_per_s=in_per_s, out_per_s=40, worker=worker)
    return FleetView(
        at="", interval_s=interval_s, lag=lag, in_per_s=in_per_s, out_per_s=40, partitions=[partition],
        processes=[ProcessView(kind="worker", name="w", **process)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("view", "cause"),
    [
        (_view(worker=""), "no_worker"),
        (_view(waiting_for={"elasticsearch": "away"}, busy=1.0), "waiting"),
        (_view(busy=0.97), "busy"),
        (_view(busy=0.5), "unknown"),
        (_view(), "unknown"),
    ],
)
def test_the_cause(view, cause):
    assert growing_lag(view) == (5_000, 80, cause)


@pytest.mark.parametrize("view", [_view(lag=999), _view(in_per_s=40.0), _view(in_per_s=10.0), _view(interval_s=2)])
def test_no_growth(view):
    assert growing_lag(view) is None
