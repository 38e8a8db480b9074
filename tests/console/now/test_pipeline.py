"""The line of the pipeline says how far the numbers reach, and the state is judged by that."""

from dataclasses import replace

import pytest

from triage.console.data.snapshot import Snapshot
from triage.console.now import fragments
from triage.console.now.pipeline import Pipeline, needs_html, status
from triage.elastic.search import Hit
from triage.fleet import FleetView, Need, PartitionLag
from triage.translations import translations_for

NOW = 1_795_339_800_000
EN, ZH = translations_for("en"), translations_for("zh")


def _fleet(lag=0, in_per_s=0.0, out_per_s=0.0, needs=(), unread=(), interval_s=15.0):
    partition = PartitionLag(topic="t", partition=0, lag=lag, in_per_s=in_per_s, out_per_s=out_per_s, worker="w")
    return FleetView(
        at="", interval_s=interval_s, lag=lag, in_per_s=in_per_s, out_per_s=out_per_s, partitions=[partition],
        needs=list(needs), unread=list(unread),
    )  # fmt: skip


@pytest.fixture
def old(snapshot, make_record):
    """Numbers whose newest record is from three minutes ago."""
    record = make_record(at_ms=NOW - 180_000)
    return replace(snapshot, latest=[Hit("r1", record)], processed_ms=NOW - 170_000)


def test_figures_of_three_minutes_ago_are_live_only_if_nothing_waits(old):
    assert Pipeline(old, _fleet()).state == "live"
    behind = Pipeline(old, _fleet(2_048))
    assert (behind.state, behind.unread_ms) == ("behind", NOW - 180_000)
    assert "实时" in status(Pipeline(old, _fleet()), ZH)
    assert "simulated time" in status(Pipeline(replace(old, simulated=True)), EN)
    html = status(behind, EN)
    assert "Behind" in html
    assert "numbers are complete up to 09:27 · 0/s received · 2,048 records wait" in html
    assert "newest record processed 09:27, 2 min 50 s ago" in html
    assert "2,048 records wait" in fragments.tiles(old, EN, 2_048)
    assert "2,048 条记录在等待" in status(behind, ZH)


@pytest.mark.parametrize(("fleet", "said"), [
    (_fleet(2_048, 50.0, 20.0), "50/s received · 2,048 records wait, 30/s more"),
    (_fleet(2_048, 5.0, 20.5), "5/s received · 2,048 records wait, 16/s fewer"),
    (_fleet(1, 5.0, 5.0), "5/s received · 1 record waits"),
    (_fleet(7, interval_s=0.0), "7 records wait"),
])  # fmt: skip
def test_what_waits_grows_or_shrinks(snapshot, fleet, said):
    assert said in status(Pipeline(snapshot, fleet), EN)


def test_what_has_just_been_processed_is_live_although_records_wait(snapshot):
    assert Pipeline(snapshot, _fleet(10)).state == "live"


def test_a_record_dated_ahead_does_not_hide_that_the_others_are_old(old, make_record):
    ahead = Hit("r2", make_record(at_ms=NOW + 3_600_000))
    assert Pipeline(replace(old, latest=[ahead, *old.latest]), _fleet(5)).unread_ms == NOW - 180_000


@pytest.mark.parametrize(("changes", "fleet", "error", "state"), [
    ({"error": "elasticsearch: away"}, _fleet(), None, "stale"),
    ({}, None, "fleet: neither Kafka nor a process answers", "unknown"),
    ({}, _fleet(unread=["kafka: away"]), None, "unknown"),
    ({}, None, None, "live"),
    ({"simulated": True}, _fleet(50), None, "live"),
])  # fmt: skip
def test_the_state(old, changes, fleet, error, state):
    assert Pipeline(replace(old, **changes), fleet, error).state == state


def test_before_the_first_reading():
    assert Pipeline(Snapshot(at_ms=NOW, known=False)).state == "connecting"
    assert Pipeline(Snapshot(at_ms=NOW, known=False, error="away")).state == "stale"
    assert "ago" not in status(Pipeline(Snapshot(at_ms=NOW, known=False)), EN)


def test_the_worst_needs_stand_on_the_page(snapshot):
    needs = [Need("no_worker", "critical"), Need("no_alerter", "high"), Need("unread", "critical", {"why": "away"})]
    quiet = Need("rules_learn", "medium", {"listed": "delivery"})
    html = needs_html(Pipeline(snapshot, _fleet(needs=[*needs, Need("no_alerter", "high"), quiet])), EN)
    assert '<li class="critical">No worker is in the group' in html
    assert html.count("<li") == 3
    assert "1 more in Fleet" in html
    assert needs_html(Pipeline(snapshot, _fleet(needs=[quiet])), EN) == ""
    assert needs_html(Pipeline(snapshot), EN) == ""
    assert "Nobody knows what waits: fleet: away" in needs_html(Pipeline(snapshot, None, "fleet: away"), EN)
