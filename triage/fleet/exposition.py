"""Parses the Prometheus metrics of a process, and computes increases and quantiles between two readings."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from prometheus_client.parser import text_string_to_metric_families

Labels = Mapping[str, str]


class Samples:
    """The samples of one reading of `/metrics`, by metric name without the prefix `triage_`."""

    def __init__(self, series: Mapping[str, Sequence[tuple[Labels, float]]] | None = None) -> None:
        self._series = series or {}

    def value(self, name: str, **labels: str) -> float:
        """Return the sum of the metric `name` over its series with these labels; 0 if there is none."""
        return sum(value for found, value in self._series.get(name, ()) if labels.items() <= found.items())

    def has(self, name: str) -> bool:
        return bool(self._series.get(name))

    def labels(self, name: str) -> list[Labels]:
        """Return the labels of each series of the metric `name` with a value other than 0, such as of `model_info`."""
        return [found for found, value in self._series.get(name, ()) if value]

    def by(self, name: str, label: str) -> dict[str, float]:
        """Sum the values of the metric `name` by the value of `label`; series without it count for ""."""
        found: dict[str, float] = defaultdict(float)
        for labels, value in self._series.get(name, ()):
            found[labels.get(label, "")] += value
        return dict(found)

    def by_two(self, name: str, first: str, second: str) -> dict[str, dict[str, float]]:
        """Sum the values of the metric `name` by two labels: {value of `first`: {value of `second`: sum}}."""
        found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for labels, value in self._series.get(name, ()):
            found[labels.get(first, "")][labels.get(second, "")] += value
        return {key: dict(values) for key, values in found.items()}

    def buckets(self, name: str, **labels: str) -> dict[float, float]:
        """Return the cumulative counts of the histogram `name` by upper bound, summed over series with these labels."""
        found: dict[float, float] = defaultdict(float)
        for given, value in self._series.get(f"{name}_bucket", ()):
            if labels.items() <= given.items():
                found[float(given["le"])] += value
        return dict(found)


def parse(text: str) -> Samples:
    """Parse the text of a Prometheus exposition. Raises ValueError for any other text."""
    series: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            series[sample.name.removeprefix("triage_")].append((sample.labels, sample.value))
    return Samples(series)


def increase(before: float, after: float) -> float:
    """Return the increase of a counter. If it has decreased, its process was restarted, and `after` is returned."""
    return after - before if after >= before else after


def grown(before: Mapping[float, float], after: Mapping[float, float]) -> dict[float, float]:
    """Return the increase of a histogram between two readings, as cumulative counts by upper bound.

    If a count has decreased, the process was restarted, and `after` is returned.
    """
    if any(after.get(bound, 0) < count for bound, count in before.items()):
        return dict(after)
    return {bound: count - before.get(bound, 0) for bound, count in after.items()}


def merged(parts: Sequence[Mapping[float, float]]) -> dict[float, float]:
    """Add up the histograms of several processes, each given as cumulative counts by upper bound."""
    found: dict[float, float] = defaultdict(float)
    for part in parts:
        for bound, count in part.items():
            found[bound] += count
    return dict(found)


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Compute a quantile (`share` from 0 to 1) of a histogram as Prometheus does: linear within a bucket.

    `buckets` has cumulative counts by upper bound. None without data.
    """
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
