"""Parses the metrics of a process, and computes increases and quantiles between two readings."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

Labels = Mapping[str, str]


class Samples:
    """One reading of `/metrics`; names are without the prefix `triage_`."""

    def __init__(self, series: Mapping[str, Sequence[tuple[Labels, float]]] | None = None) -> None:
        self._series = series or {}

    def value(self, name: str, **labels: str) -> float:
        """Sum over the series with these labels; 0 where there is none."""
        return sum(value for found, value in self._series.get(name, ()) if labels.items() <= found.items())

    def has(self, name: str) -> bool:
        return bool(self._series.get(name))

    def labels(self, name: str) -> list[Labels]:
        """Labels of the series whose value is not 0: of an info metric, what is in force."""
        return [found for found, value in self._series.get(name, ()) if value]

    def by(self, name: str, label: str) -> dict[str, float]:
        """Values summed by one label."""
        found: dict[str, float] = defaultdict(float)
        for labels, value in self._series.get(name, ()):
            found[labels.get(label, "")] += value
        return dict(found)

    def buckets(self, name: str, **labels: str) -> dict[float, float]:
        """Cumulative counts of a histogram by upper bound."""
        found: dict[float, float] = defaultdict(float)
        for given, value in self._series.get(f"{name}_bucket", ()):
            if labels.items() <= given.items():
                found[float(given["le"])] += value
        return dict(found)


def parse(text: str) -> Samples:
    """Samples of a Prometheus exposition. Raises ValueError for any other text."""
    series: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series[sample.name.removeprefix("triage_")].append((sample.labels, sample.value))
    return Samples(series)


def increase(before: float, after: float) -> float:
    """Increase of a counter; one that is smaller than before was restarted at 0."""
    return after - before if after >= before else after


def grown(before: Mapping[float, float], after: Mapping[float, float]) -> dict[float, float]:
    """The buckets of what was observed between two readings."""
    if any(after.get(bound, 0) < count for bound, count in before.items()):
        return dict(after)
    return {bound: count - before.get(bound, 0) for bound, count in after.items()}


def merged(parts: Sequence[Mapping[float, float]]) -> dict[float, float]:
    """Histograms of several processes as one."""
    found: dict[float, float] = defaultdict(float)
    for part in parts:
        for bound, count in part.items():
            found[bound] += count
    return dict(found)


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """The quantile of a histogram, as Prometheus computes it: linear within a bucket. None without data."""
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    rank = share * total
    count_below, lower = 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank:
            if math.isinf(bound):
                return lower
            within = buckets[bound] - count_below
            return lower + (bound - lower) * ((rank - count_below) / within if within else 1.0)
        count_below, lower = buckets[bound], bound
    return lower
