"""What an operator should look at, the worst first, as numbers and as sentences of each language."""

import pytest

from triage.fleet import FleetView, Need, PartitionLag, ProcessView
from triage.fleet.needs import NO_METRICS, needs_of, state_of
from triage.fleet.wording import sentence
from triage.translations import translations_for

EN, ZH = translations_for("en"), translations_for("zh")


def _worker(name, **fields):
    return ProcessView(kind="worker", name=name, partitions=3, lag=40, **fields)


WELL = _worker("w-well", up=True, standing_still_s=0.2)
STUCK = _worker("w-stuck", up=True, standing_still_s=75.0)
FROZEN = _worker("w-frozen", error="does not answer in time")
HIDDEN = _worker("w-hidden", error=NO_METRICS)
WAITING = _worker("w-waiting", up=True, waiting_for={"elasticsearch": "connection refused"})
FALLEN = _worker("w-fallen", up=True, fallback=True, device="cpu")
STUCK_AND_WAITING = _worker("w-both", up=True, standing_still_s=75.0, waiting_for={"kafka": "away"})
ALERTER = ProcessView(kind="alerter", name="alerter-0", up=True)


def _partition(number, worker="w-well", **fields):
    return PartitionLag(
        topic="complaints", partition=number, lag=0, in_per_s=1.0, out_per_s=0.5, worker=worker, **fields
    )


def _view(*processes, partitions=(), **fields):
    return FleetView(at="", interval_s=15.0, processes=list(processes), partitions=list(partitions), **fields)


def _said(view, translations=EN):
    return [sentence(need, translations) for need in needs_of(view)]


@pytest.mark.parametrize(("process", "state"), [
    (WELL, "ok"), (STUCK, "stuck"), (FROZEN, "down"), (HIDDEN, "unseen"), (WAITING, "waiting"), (FALLEN, "fallback"),
    (STUCK_AND_WAITING, "stuck"),
], ids=lambda one: one if isinstance(one, str) else one.name)  # fmt: skip
def test_the_state_of_a_process(process, state):
    assert state_of(process) == state


def test_the_worst_comes_first_and_what_is_well_is_left_out():
    view = _view(HIDDEN, FALLEN, WELL, FROZEN, STUCK, WAITING, partitions=[_partition(0), _partition(1, worker="")])
    severities = [need.severity for need in needs_of(view)]
    assert severities == sorted(severities, key=["critical", "high", "medium"].index)
    said = "\n".join(_said(view))
    assert "1 partition has no worker: complaints/1" in said
    assert "worker w-stuck is stuck: no progress for 1 min 15 s, 40 records wait for it" in said
    assert "worker w-frozen does not respond (does not answer in time); 40 records wait for it" in said
    assert "worker w-waiting waits for elasticsearch: connection refused" in said
    assert "worker w-fallen: the model fell back to cpu" in said
    assert "w-well" not in said
    assert "工作进程 w-stuck 卡住了：1 分钟 15 秒没有动作" in "\n".join(_said(view, ZH))


def test_all_is_well_and_nobody_is_there():
    assert needs_of(_view(WELL, ALERTER, partitions=[_partition(0)])) == []
    assert needs_of(_view(ALERTER, partitions=[_partition(0, worker="")])) == [Need("no_worker", "critical")]


def test_a_missing_alerter_a_missing_console_and_a_growing_lag_are_named():
    view = _view(
        WELL, partitions=[_partition(0)], lag=2_000, in_per_s=90.0, out_per_s=40.0,
        console_url="http://c:8080", console_error="connection refused",
    )  # fmt: skip
    assert _said(view) == [
        "No alerter is in the group: nobody is paged. Start one: triage alerter",
        "The lag grows: 2,000 records wait, 50 more each second. The times of the stages show where the time goes.",
        "No console answers at http://c:8080 (connection refused): links in notifications lead there. "
        "Start one: triage console; alerting.console_url is its address.",
    ]
    assert needs_of(view)[1].values == {"n": 2_000, "per_s": 50.0, "cause": "unknown"}


def test_kafka_that_can_not_be_read_records_that_were_lost_and_rules_that_can_not_fire():
    rules = {"young": {"watched": 3, "learning": 3}, "new": {"watched": 0}, "well": {"watched": 2, "learning": 1}}
    view = _view(WELL, ALERTER, partitions=[_partition(0, expired=1_020)], unread=["kafka: away"], rules=rules)
    assert [(need.kind, need.severity) for need in needs_of(view)] == [
        ("unread", "critical"), ("retention", "critical"), ("rules_unseen", "medium"), ("rules_learn", "medium"),
    ]  # fmt: skip


_VALUES = {
    "n": 2, "per_s": 1.5, "seconds": 61.0, "cause": "busy", "process": "worker", "listed": "a", "address": "b",
    "why": "c", "name": "d", "dependency": "e", "device": "cpu", "partition": "f",
}  # fmt: skip


@pytest.mark.parametrize("translations", [EN, ZH], ids=["en", "zh"])
def test_every_need_has_a_sentence_in_each_language(translations):
    kinds = (
        "unread", "no_worker", "no_alerter", "no_console", "orphans", "lag_grows", "stuck", "down", "unseen", "waits",
        "fallback", "retention", "expired", "rules_unseen", "rules_learn",
    )  # fmt: skip
    for kind in kinds:
        assert "{" not in sentence(Need(kind, "high", _VALUES), translations)
