"""*Fleet* names what an operator must look at, the worst first, and shows every process."""

import pytest

from triage.console.fleet.fragments import attention, partitions_html, processes_html, stages_html, state_of, tiles
from triage.fleet import FleetView, PartitionLag, ProcessView, StageTime
from triage.fleet.assemble import NO_METRICS
from triage.translations import translations_for

EN, ZH = translations_for("en"), translations_for("zh")


def _worker(name, **fields):
    return ProcessView(kind="worker", name=name, partitions=3, lag=40, **fields)


WELL = _worker("w-well", address="10.0.0.1:9100", up=True, device="cuda", runtime="onnxruntime", standing_still_s=0.2)
STUCK = _worker("w-stuck", address="10.0.0.2:9100", up=True, standing_still_s=75.0)
FROZEN = _worker("w-frozen", error="does not answer in time")
HIDDEN = _worker("w-hidden", error=NO_METRICS)
WAITING = _worker("w-waiting", up=True, waiting_for={"elasticsearch": "connection <refused>"}, paused=True)
FALLEN = _worker("w-fallen", up=True, fallback=True, device="cpu")


ALERTER = ProcessView(kind="alerter", name="alerter-0", up=True)


def _partition(number, worker="w-well", lag=0):
    return PartitionLag(topic="complaints", partition=number, lag=lag, in_per_s=1.0, out_per_s=0.5, worker=worker)


def _view(*processes, partitions=(), **fields):
    return FleetView(
        at="2026-11-22T09:30:00.000Z", interval_s=15.0, processes=list(processes), partitions=list(partitions), **fields
    )


@pytest.mark.parametrize(("process", "state"), [
    (WELL, "ok"), (STUCK, "stuck"), (FROZEN, "down"), (HIDDEN, "unseen"), (WAITING, "waiting"), (FALLEN, "fallback"),
], ids=lambda one: one if isinstance(one, str) else one.name)  # fmt: skip
def test_the_state_of_a_process(process, state):
    assert state_of(process) == state


def test_what_needs_attention_comes_with_the_worst_first():
    view = _view(HIDDEN, FALLEN, WELL, FROZEN, STUCK, WAITING, partitions=[_partition(0), _partition(1, worker="")])
    found = attention(view, EN)
    kinds = [kind for kind, _ in found]
    assert kinds == sorted(kinds, key=["critical", "high", "medium"].index)
    said = "\n".join(text for _, text in found)
    assert "1 partition has no worker: complaints/1" in said
    assert "worker w-stuck is stuck: no progress for 1 min, 40 records wait for it" in said
    assert "worker w-frozen does not respond (does not answer in time); 40 records wait for it" in said
    assert "worker w-waiting waits for elasticsearch: connection <refused>" in said
    assert "worker w-fallen: the model fell back to cpu" in said
    assert "w-well" not in said
    assert "工作进程 w-stuck 卡住了：1 分钟没有动作" in "\n".join(text for _, text in attention(view, ZH))


def test_all_is_well_and_nobody_is_there():
    assert attention(_view(WELL, ALERTER, partitions=[_partition(0)]), EN) == []
    ((kind, said),) = attention(_view(ALERTER, partitions=[_partition(0, worker="")]), EN)
    assert (kind, said.partition(":")[0]) == ("critical", "No worker is in the group")


def test_a_missing_alerter_and_a_growing_lag_are_named():
    view = _view(WELL, partitions=[_partition(0)], lag=2_000, in_per_s=90.0, out_per_s=40.0)
    assert [text for _, text in attention(view, EN)] == [
        "No alerter is in the group: nobody is paged. Start one: triage alerter",
        "The lag grows: 2,000 records wait, 50 more each second. "
        "The times of the stages below show where the time goes.",
    ]
    assert "积压在增长" in attention(view, ZH)[1][1]


def test_every_process_is_in_the_table_with_device_and_state():
    html = processes_html(_view(WELL, STUCK, FROZEN, HIDDEN, WAITING, FALLEN), EN)
    for name in ("w-well", "w-stuck", "w-frozen", "w-hidden", "w-waiting", "w-fallen"):
        assert name in html
    assert "cuda · onnxruntime" in html
    assert html.count(">fallback<") == 2
    # `unseen` is what hides a heading from all but screen readers.
    assert 'class="unseen"' not in html
    assert ">stuck<" in html
    assert "No process" in processes_html(_view(), EN)


def test_figures_tell_a_growing_lag_and_wait_for_a_second_reading():
    text = tiles(_view(WELL, STUCK, lag=80, in_per_s=5.0, out_per_s=1.0), 4, EN)
    for part in ("1/2", ">80<", "and growing", "5/s", "1/s out"):
        assert part in text
    assert "done in 2 min" in tiles(_view(WELL, lag=80, in_per_s=1.0, out_per_s=2.0, drain_s=120.0), 4, EN)
    first = FleetView(at="", interval_s=0.0, lag=80, processes=[WELL])
    assert "measuring" in tiles(first, None, EN)


def test_partitions_come_by_lag_and_one_without_a_worker_is_named():
    html = partitions_html(_view(partitions=[_partition(0), _partition(1, worker="", lag=7)]), EN)
    assert html.index("complaints/1") < html.index("complaints/0")
    assert "<b>none</b>" in html
    assert "enrich" in stages_html(_view(stages=[StageTime(stage="enrich", p50_ms=80.0, p95_ms=200.0, per_s=2.0)]), EN)
