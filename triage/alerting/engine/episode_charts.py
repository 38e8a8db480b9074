"""Charts of whole episodes: from the steps before an episode began to those after it ended. Pure."""

from collections.abc import Callable

import msgspec

from triage.clock import parse_rfc3339
from triage.schemas.alert import Chart

# A longer episode has longer steps: 160 of five minutes are 13 hours.
MAX_STEPS = 160


def extended(known: Chart | None, latest: Chart) -> Chart:
    """Append the `latest` steps of a series to `known`, its episode's chart.

    Of a step in both, the higher count is kept. `known` is None for a new episode. If the chart would exceed
    MAX_STEPS, neighbouring steps are added together in pairs, as often as needed; a chart with such longer steps
    grows only by complete ones.
    """
    if known is None:
        return latest
    start_ms, step_ms = parse_rfc3339(known.start), known.step_s * 1000
    first_ms, base_ms = parse_rfc3339(latest.start), latest.step_s * 1000
    width, end_ms = known.step_s // latest.step_s, first_ms + len(latest.observed) * base_ms
    observed, expected = list(known.observed), list(known.expected)
    index = max(0, -(-(first_ms - start_ms) // step_ms))
    while start_ms + (index + 1) * step_ms <= end_ms:
        at = (start_ms + index * step_ms - first_ms) // base_ms
        count, mean = sum(latest.observed[at : at + width]), _summed(latest.expected[at : at + width])
        # Nothing is known of steps between the two.
        observed += [0] * (index - len(observed))
        expected += [None] * (index - len(expected))
        if index == len(observed):
            observed.append(count)
            expected.append(mean)
        else:
            # A correction adds records. After a restart the series lacks older steps, whose counts are 0 then.
            observed[index] = max(observed[index], count)
        index += 1
    chart = Chart(known.start, known.step_s, observed, expected)
    while len(chart.observed) > MAX_STEPS:
        chart = _in_pairs(chart)
    return chart


class EpisodeCharts:
    """Charts of one partition's episodes, by dedup key. `store(dedup_key, chart)` is called for each changed chart."""

    def __init__(self, store: Callable[[str, Chart], None]) -> None:
        self._charts: dict[str, Chart] = {}
        self._store = store

    def restore(self, charts: dict[str, Chart]) -> None:
        self._charts = charts

    def get(self, dedup_key: str) -> Chart | None:
        return self._charts.get(dedup_key)

    def extend(self, dedup_key: str, latest: Chart) -> None:
        """Add the latest steps of an episode's series to its chart, and store the chart."""
        self._charts[dedup_key] = chart = extended(self._charts.get(dedup_key), latest)
        self._store(dedup_key, chart)

    def drop(self, dedup_key: str) -> bool:
        """Delete the chart of an episode; true if there was one."""
        return self._charts.pop(dedup_key, None) is not None


def _in_pairs(chart: Chart) -> Chart:
    whole = len(chart.observed) // 2 * 2
    return msgspec.structs.replace(
        chart,
        step_s=chart.step_s * 2,
        observed=[sum(chart.observed[at : at + 2]) for at in range(0, whole, 2)],
        expected=[_summed(chart.expected[at : at + 2]) for at in range(0, whole, 2)],
    )


def _summed(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known), 3) if len(known) == len(values) else None
