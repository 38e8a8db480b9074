"""*Fleet* names what an operator must look at, the worst first, and shows every process."""

from triage.console.fleet.fragments import attention_html, partitions_html, processes_html, stages_html, tiles
from triage.fleet import FleetView, PartitionLag, ProcessView, StageTime
from triage.fleet.needs import NO_METRICS, needs_of
from triage.translations import translations_for

EN = translations_for("en")


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


def test_what_needs_attention_is_listed_and_escaped():
    view = _view(WAITING, ALERTER, partitions=[_partition(0)])
    view.needs = needs_of(view)
    html = attention_html(view, EN)
    assert '<li class="high">worker w-waiting waits for elasticsearch: connection &lt;refused&gt;</li>' in html
    assert "Nothing." in attention_html(_view(), EN)


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
