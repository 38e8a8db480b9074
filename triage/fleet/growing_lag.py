"""Detects growth of the fleet's lag, and determines the most likely cause."""

from typing import Literal, NamedTuple

from triage.fleet.view import FleetView

Cause = Literal["no_worker", "waiting", "busy", "unknown"]

# Below these, a wave of records looks like growth.
_MIN_RECORDS = 1_000
_MIN_INTERVAL_S = 5.0
_BUSY = 0.9


class GrowingLag(NamedTuple):
    """The lag of the fleet in records, its growth in records per second, and the most likely cause.

    The cause is that no worker runs, that workers wait for a dependency, that they are busy, or unknown.
    """

    records: int
    per_s: float
    cause: Cause


def growing_lag(view: FleetView) -> GrowingLag | None:
    """Return the growth of the lag over `view.interval_s` seconds; None if it doesn't grow, is small, or is unknown."""
    per_s = view.in_per_s - view.out_per_s
    if view.interval_s < _MIN_INTERVAL_S or view.lag < _MIN_RECORDS or per_s <= 0:
        return None
    return GrowingLag(view.lag, per_s, _cause(view))


def _cause(view: FleetView) -> Cause:
    workers = [process for process in view.processes if process.kind == "worker"]
    if any(not partition.worker and partition.lag for partition in view.partitions):
        return "no_worker"
    if any(process.waiting_for for process in workers):
        return "waiting"
    known = [process.busy for process in workers if process.busy is not None]
    return "busy" if known and min(known) >= _BUSY else "unknown"
