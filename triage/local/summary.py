"""Summarizes a run of `triage demo --once`: numbers of records in and out, and where they disagree."""

import statistics
from dataclasses import dataclass

from rich.table import Table

from triage.local.tally import Totals


@dataclass(frozen=True)
class Summary:
    """Counts of one run of the demo.

    `problems` describes records that are missing or duplicate, alerts that did not resolve, and that none fired.
    `p50_ms` and `p95_ms` are percentiles of the time from the raw to the enriched record.
    """

    sent: int
    enriched: int
    dead_lettered: int
    indexed: int
    fired: int
    resolved: int
    p50_ms: float
    p95_ms: float
    records_per_s: float
    problems: list[str]

    @classmethod
    def of(cls, sent: int, totals: Totals, indexed: int) -> "Summary":
        latencies = sorted(totals.latencies_ms)
        cuts = statistics.quantiles(latencies, n=20) if len(latencies) > 1 else [0.0] * 19
        fired, resolved = len(totals.alerts), len(totals.alerts) - totals.open_alerts
        problems = []
        if sent != totals.enriched + totals.dead_lettered:
            problems.append(f"{sent} in, but {totals.enriched} enriched + {totals.dead_lettered} dead-lettered out")
        if len(totals.enriched_ids) != totals.enriched:
            problems.append(f"{totals.enriched - len(totals.enriched_ids)} duplicate enriched records in the topic")
        if len(totals.dead_positions) != totals.dead_lettered:
            problems.append(f"{totals.dead_lettered - len(totals.dead_positions)} duplicate dead letters in the topic")
        if indexed != totals.enriched:
            problems.append(f"{totals.enriched} in the enriched topic, but {indexed} in Elasticsearch")
        if not fired:
            problems.append("no alert fired")
        if totals.open_alerts:
            problems.append(f"{totals.open_alerts} alerts did not resolve")
        return cls(
            sent=sent,
            enriched=totals.enriched,
            dead_lettered=totals.dead_lettered,
            indexed=indexed,
            fired=fired,
            resolved=resolved,
            p50_ms=cuts[9],
            p95_ms=cuts[18],
            records_per_s=totals.rate(),
            problems=problems,
        )

    def table(self) -> Table:
        table = Table(title="triage demo", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for name, value in (
            ("in", f"{self.sent:,}"),
            ("enriched", f"{self.enriched:,}"),
            ("dead-lettered", f"{self.dead_lettered:,}"),
            ("in Elasticsearch", f"{self.indexed:,}"),
            ("alerts fired / resolved", f"{self.fired} / {self.resolved}"),
            ("records/s", f"{self.records_per_s:,.0f}"),
            ("latency p50", f"{self.p50_ms:,.0f} ms"),
            ("latency p95", f"{self.p95_ms:,.0f} ms"),
        ):
            table.add_row(name, value)
        return table
