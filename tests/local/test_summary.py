"""The summary of `triage demo --once` names the counts that do not agree."""

from triage.local.summary import Summary
from triage.local.tally import Totals
from triage.schemas.alert import Alert


def _alert(status):
    return Alert(
        dedup_key="k", rule="r", key="", dimensions={}, status=status, severity="critical", title="t", summary="s",
        started_at="", updated_at="", window_s=1, negative=1, total=1, share=1.0, peak_negative=1,
    )  # fmt: skip


def _totals(**changes):
    totals = Totals(
        enriched=3, enriched_ids={"a", "b", "c"}, dead_lettered=1, dead_positions={"t/0/1"},
        latencies_ms=[10.0, 20.0, 30.0], first_ms=0, last_ms=1500, alerts={"k": _alert("resolved")},
    )  # fmt: skip
    for name, value in changes.items():
        setattr(totals, name, value)
    return totals


def test_a_run_whose_counts_agree():
    summary = Summary.of(4, _totals(), 3)
    assert summary.problems == []
    assert (summary.fired, summary.resolved, summary.records_per_s) == (1, 1, 2.0)
    assert summary.p50_ms == 20.0


def test_each_disagreement_is_named():
    totals = _totals(enriched=4, alerts={"k": _alert("firing")}, dead_positions=set())
    assert Summary.of(4, totals, 2).problems == [
        "4 in, but 4 enriched + 1 dead-lettered out",
        "1 duplicate enriched records in the topic",
        "1 duplicate dead letters in the topic",
        "4 in the enriched topic, but 2 in Elasticsearch",
        "1 alerts did not resolve",
    ]
    assert "no alert fired" in Summary.of(4, _totals(alerts={}), 3).problems


def test_no_records_have_no_latency():
    assert Summary.of(0, Totals(), 0).p95_ms == 0.0
