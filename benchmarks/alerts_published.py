"""The spike detector compared with published rules on two published designs: weekly and hourly counts.

A: weekly series after Noufaily et al. 2013; probability of detection at 1 % false positives. B: hourly counts as in
this product; false alerts and detection with the usual threshold of each rule, and with the default settings of triage.
C: five-minute windows; minutes from the start of a spike to the end of the window that fires. The plot shows false
positives against detection in A.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks import alerts_methods as methods
from benchmarks.alerts_data import SCORED_WEEKS, Product, Weekly, product, weekly
from benchmarks.alerts_farrington import farrington
from benchmarks.alerts_score import ProductResult, WeeklyResult, score_product, score_weekly
from benchmarks.report import ROOT, Row
from triage.alerting.detection import SpikeSettings

Floats = NDArray[np.float64]
TRIAGE = "triage"
_HOURS_A_WEEK = 168
_MIN_COUNT, _MIN_SHARE = 10, 0.6


def weekly_results(data: Weekly, settings: SpikeSettings) -> dict[str, WeeklyResult]:
    """Results of weekly series (benchmark A) by method."""
    scorers: dict[str, Callable[[Floats], Floats]] = {
        "EARS C1": lambda counts: methods.ears(counts, 1),
        "EARS C2": lambda counts: methods.ears(counts, 2),
        "EARS C3": lambda counts: methods.ears(counts, 3),
        "mean + sd of a year": lambda counts: methods.mean_and_sd(counts, 52),
        TRIAGE: lambda counts: methods.spike_detector(counts, None, 7 * 86_400, settings),
        "oracle, one week": lambda counts: _oracle(data, counts),
    }
    results = {name: score_weekly(data, scorer(data.quiet), scorer(data.counts)) for name, scorer in scorers.items()}
    quiet, counts = farrington(data.quiet, SCORED_WEEKS), farrington(data.counts, SCORED_WEEKS)
    for place, name in enumerate(("Farrington Flexible, NB", "Farrington Flexible, 2/3 power")):
        results[name] = score_weekly(data, quiet[place], counts[place])
    return results


def _oracle(data: Weekly, counts: Floats) -> Floats:
    from triage.alerting.detection.tail import surprise

    return surprise(counts, data.mean, data.mean * data.phi)


def product_results(data: Product, settings: SpikeSettings) -> dict[str, ProductResult]:
    """Results of hourly series (benchmark B) by method."""
    counts, total = data.negative, data.total
    firing = {
        "mean + 3 sd (4 weeks)": methods.mean_and_sd(counts, 4 * _HOURS_A_WEEK) > 3,
        ">= 2 x same hour last week": methods.same_last_week(counts, _HOURS_A_WEEK) >= 2,
        "EARS C1, 7 h": methods.ears(counts, 1) > 3,
        "EARS C2, 7 h": methods.ears(counts, 2) > 3,
        "EARS C3, 7 h": methods.ears(counts, 3) > 2,
        "static: share and count": methods.share(counts, total, _MIN_COUNT) >= _MIN_SHARE,
        "Sentry's escalating issues": methods.sentry(counts, _HOURS_A_WEEK) > 1,
        TRIAGE: methods.spike_detector(counts, total, data.step_s, settings) > 0,
    }
    return {name: score_product(data, fired) for name, fired in firing.items()}


def published_rows(seeds: list[int], per_scenario: int, keys: int) -> list[Row]:
    """Run benchmarks A, B and C, print their tables, draw the plot; returns the rows of the results file."""
    settings = SpikeSettings()
    a = [weekly_results(weekly(seed, per_scenario), settings) for seed in seeds]
    b = [product_results(product(seed, keys), settings) for seed in seeds]
    whole = [product_results(product(seed, keys, whole_spike=True), settings) for seed in seeds]
    c = [_five_minutes(seed, max(keys // 6, 20), settings) for seed in seeds]
    _print(a, b, whole)
    print(f"plot: {_plot(a).relative_to(ROOT)}")
    return [
        *_weekly_rows(a),
        *_product_rows("B", b),
        *_product_rows("B, SNR of the whole spike", whole),
        *_delay_rows(c),
    ]


def _five_minutes(seed: int, keys: int, settings: SpikeSettings) -> ProductResult:
    data = product(seed, keys, weeks=3, scored_weeks=1, step_s=300)
    scores = methods.spike_detector(data.negative, data.total, data.step_s, settings)
    return score_product(data, scores > 0)


def _weekly_rows(results: list[dict[str, WeeklyResult]]) -> list[Row]:
    return [
        row
        for name in results[0]
        for row in (
            Row.of(f"A: {name}: POD at 1 % FPR", "%", [100 * result[name].pod for result in results]),
            Row.of(f"A: {name}: worst scenario's FPR", "%", [100 * result[name].worst_fpr for result in results]),
        )
    ]


def _product_rows(part: str, results: list[dict[str, ProductResult]]) -> list[Row]:
    rows = []
    for name in results[0]:
        found = [result[name] for result in results]
        rows += [
            Row.of(f"{part}: {name}: false alerts", "per 1000 key-weeks", [1000 * one.false for one in found]),
            Row.of(f"{part}: {name}: first week", "per 1000 key-weeks", [1000 * one.first_week for one in found]),
            Row.of(f"{part}: {name}: surges alerted", "%", [100 * one.benign for one in found]),
            Row.of(f"{part}: {name}: POD 12-20 in 2 h", "%", [100 * one.within["12-20"] for one in found]),
            Row.of(f"{part}: {name}: POD >=20 in 1 h", "%", [100 * one.within[">=20"] for one in found]),
        ]
    return rows


def _delay_rows(results: list[ProductResult]) -> list[Row]:
    rows = [
        Row.of(f"C: {TRIAGE}: false alerts, week 3", "per 1000 key-weeks", [1000 * result.false for result in results]),
        Row.of(f"C: {TRIAGE}: first week", "per 1000 key-weeks", [1000 * result.first_week for result in results]),
        Row.of(f"C: {TRIAGE}: surges alerted", "%", [100 * result.benign for result in results]),
    ]
    for band in ("12-20", ">=20"):
        rows.append(Row.of(f"C: {TRIAGE}: POD {band}", "%", [100 * result.pod[band] for result in results]))
        for quantile in (50, 95):
            # An alert can be sent at the end of the window that fires.
            delays = [result.delays_h[band] for result in results if len(result.delays_h[band])]
            minutes = [float(np.percentile(delay, quantile)) * 60 + 5 for delay in delays] or [float("nan")]
            rows.append(Row.of(f"C: {TRIAGE}: start to page, {band}, p{quantile}", "min", minutes))
    return rows


def _print(
    a: list[dict[str, WeeklyResult]], b: list[dict[str, ProductResult]], whole: list[dict[str, ProductResult]]
) -> None:
    table = Table(title="A: weekly, at 1 % false positives (mean over seeds)")
    for column in ("", "POD", "worst FPR"):
        table.add_column(column, justify="left" if not column else "right")
    for name in a[0]:
        pod, worst = (float(np.mean([getattr(result[name], part) for result in a])) for part in ("pod", "worst_fpr"))
        table.add_row(name, f"{pod:.3f}", f"{worst:.2%}")
    Console().print(table)
    for title, results in (("B: hourly", b), ("B with the SNR of the whole spike", whole)):
        table = Table(title=f"{title} (mean over seeds)")
        for column in (
            "",
            "false/key-week",
            "first week",
            "surges",
            "12-20",
            "in 2 h",
            ">=20",
            "in 1 h",
            "median delay",
        ):
            table.add_column(column, justify="left" if not column else "right")
        for name in results[0]:
            found = [result[name] for result in results]
            delays = np.concatenate([one.delays_h[">=20"] for one in found])
            cells = [
                *(f"{np.mean([getattr(one, part) for one in found]):.4f}" for part in ("false", "first_week")),
                f"{np.mean([one.benign for one in found]):.2%}",
                f"{np.mean([one.pod['12-20'] for one in found]):.3f}",
                f"{np.mean([one.within['12-20'] for one in found]):.3f}",
                f"{np.mean([one.pod['>=20'] for one in found]):.3f}",
                f"{np.mean([one.within['>=20'] for one in found]):.3f}",
                f"{np.median(delays) if len(delays) else float('nan'):.0f} h",
            ]
            table.add_row(name, *cells)
        Console().print(table)


def _plot(results: list[dict[str, WeeklyResult]]) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.subplots()
    for name in results[0]:
        curve = np.mean([result[name].curve for result in results], axis=0)
        axis.plot(curve[:, 0], curve[:, 1], linewidth=2.5 if name == TRIAGE else 1.2, label=name)
    axis.axvline(0.01, color="grey", linewidth=0.8, linestyle=":")
    axis.set_xscale("log")
    axis.set_xlabel("false positive rate a week")
    axis.set_ylabel("outbreaks detected")
    axis.legend(fontsize=8)
    axis.grid(alpha=0.3)
    path = ROOT / "benchmarks" / "results" / "alerts.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    return path
