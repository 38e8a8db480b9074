"""Evaluates scores: probability of detection of outbreaks and spikes, and rates of false alarms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.alerts_data import SCENARIOS, SCORED_WEEKS, Product, Weekly

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
RESOLVE_AFTER = 6


@dataclass(frozen=True)
class WeeklyResult:
    """Result of weekly series (benchmark A) at one false positive rate; `pod` is the probability of detection.

    `worst_fpr` is the highest rate over the scenarios, `curve` [n, 2] has (false positive rate, detection) points.
    """

    threshold: float
    pod: float
    worst_fpr: float
    curve: Floats


def score_weekly(data: Weekly, quiet: Floats, outbreak: Floats, fpr: float = 0.01) -> WeeklyResult:
    """Result from scores [weeks, series] of the last 49 weeks, without (`quiet`) and with `outbreak`.

    `fpr` is the false positive rate. The probability of detection is the mean over the scenarios.
    """
    quiet, outbreak = quiet[-SCORED_WEEKS:], outbreak[-SCORED_WEEKS:]
    cases = data.outbreak[-SCORED_WEEKS:]
    week = np.arange(SCORED_WEEKS)[:, None]
    first = np.where(cases > 0, week, SCORED_WEEKS).min(axis=0)
    last = np.where(cases > 0, week, -1).max(axis=0)
    best = np.where((week >= first) & (week <= last), outbreak, -np.inf).max(axis=0)
    threshold = float(np.quantile(quiet, 1 - fpr))
    scenarios = [data.scenario == number for number in range(len(SCENARIOS))]
    has_cases = last >= 0  # an outbreak may have no case at all

    def detected(above: float) -> float:
        return float(np.mean([(best[chosen & has_cases] > above).mean() for chosen in scenarios]))

    rates = np.geomspace(1e-3, 0.1, 25)
    curve = np.array([(rate, detected(float(np.quantile(quiet, 1 - rate)))) for rate in rates])
    worst = max(float((quiet[:, chosen] > threshold).mean()) for chosen in scenarios)
    return WeeklyResult(threshold, detected(threshold), worst, curve)


@dataclass(frozen=True)
class ProductResult:
    """Result of hourly or five-minute series (benchmarks B and C).

    `false` and `first_week` are false alerts per key and week, in the scored weeks and in the first week. `benign` is
    the share of surges with an alert. By SNR band, `pod` is the share of detected spikes, `within` the share detected
    within 2 hours (12-20) or 1 hour (>=20), and `delays_h` the delays in hours.
    """

    false: float
    first_week: float
    benign: float
    pod: dict[str, float]
    within: dict[str, float]
    delays_h: dict[str, Floats]


def score_product(data: Product, firing: Bools) -> ProductResult:
    """Result from `firing` [windows, keys]. An alert ends after six quiet windows.

    A spike is detected by a firing window between its start and its end; a delay of 0 hours is the window in which it
    begins. Alerts during a surge are not counted as false.
    """
    windows, keys = firing.shape
    per_hour = 3600 / data.step_s
    at = np.arange(windows)[:, None]
    after = int(6 * per_hour)
    begins = begins_of(firing)
    own = ((at >= data.spike[0]) & (at < data.spike[1] + after)) | (
        (at >= data.surge[0]) & (at < data.surge[1] + after)
    )
    scored_weeks = (windows - data.scored_from) / (168 * per_hour)
    surged = data.surge[1] > 0
    in_surge = (firing & (at >= data.surge[0]) & (at < data.surge[1])).any(axis=0)
    hits = firing & (at >= data.spike[0]) & (at < data.spike[1])
    found = hits.any(axis=0)
    delay = np.where(found, (hits.argmax(axis=0) - data.spike[0]) / per_hour, np.inf)
    bands = {"12-20": (data.snr >= 12) & (data.snr < 20), ">=20": data.snr >= 20}
    return ProductResult(
        false=float((begins & ~own & (at >= data.scored_from)).sum() / keys / scored_weeks),
        first_week=float(begins[: int(168 * per_hour)].sum() / keys),
        benign=float(in_surge[surged].mean()),
        pod={band: float(found[chosen].mean()) for band, chosen in bands.items()},
        within={band: float((delay[bands[band]] <= hours).mean()) for band, hours in (("12-20", 2), (">=20", 1))},
        delays_h={band: delay[chosen & found] for band, chosen in bands.items()},
    )


def begins_of(firing: Bools) -> Bools:
    """Mask [windows, keys] of the windows in which an alert begins: they fire after RESOLVE_AFTER quiet ones."""
    before = np.zeros_like(firing)
    for back in range(1, RESOLVE_AFTER + 1):
        before[back:] |= firing[:-back]
    return firing & ~before
