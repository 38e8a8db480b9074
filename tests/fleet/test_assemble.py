"""Two readings of the fleet, and what is said of them."""

from prometheus_client import generate_latest

from triage.fleet.assemble import Reading, assemble
from triage.fleet.brokers import BrokerReading, Member, Offsets
from triage.fleet.exposition import parse
from triage.fleet.processes import Answer
from triage.fleet.view import FleetView
from triage.metrics import Metrics

TOPIC = "feedback.complaints"


def worker(name, metrics, port=9100, **about):
    ready = {"ok": not about.get("waiting_for"), "waiting_for": {}, "worker": name, **about}
    return Answer(f"10.0.0.1:{port}", parse(generate_latest(metrics.registry).decode()), ready)


def reading(at_s, *answers, members=(), offsets=None):
    return Reading(at_s, BrokerReading(tuple(members), offsets or {}), tuple(answers))


def view_of(before, now):
    view = FleetView(at="2026-11-22T09:30:00.000Z", interval_s=now.at_s - before.at_s if before else 0.0)
    assemble(view, before, now)
    return view


def test_lag_rates_and_time_to_drain_come_from_kafka():
    member = Member("triage-a", "10.0.0.1", "worker", ((TOPIC, 0),))
    before = reading(0, members=[member], offsets={(TOPIC, 0): Offsets(0, 100, 40), (TOPIC, 1): Offsets(5, 9, None)})
    now = reading(10, members=[member], offsets={(TOPIC, 0): Offsets(0, 120, 90), (TOPIC, 1): Offsets(5, 9, None)})
    view = view_of(before, now)
    assert [(each.lag, each.in_per_s, each.out_per_s, each.worker) for each in view.partitions] == [
        (30, 2.0, 5.0, "triage-a"),
        (4, 0.0, 0.0, ""),
    ]
    assert (view.lag, view.in_per_s, view.out_per_s) == (34, 2.0, 5.0)
    assert view.drain_s == 34 / 3
    assert f"1 partition has no worker: {TOPIC}/1" in view.problems


def test_a_lag_that_grows_has_no_time_to_drain():
    grows = [reading(at, offsets={(TOPIC, 0): Offsets(0, 100 * at, 10)}) for at in (1, 2)]
    view = view_of(*grows)
    assert view.drain_s is None
    assert view.problems[0].startswith("No worker is in the group: nothing is processed.")


def test_a_worker_that_answers_is_the_member_of_its_name():
    metrics = Metrics()
    metrics.model_info.labels("m@1", "1", "r1", "cuda", "onnxruntime 1.22", "fp16").set(1)
    metrics.batch_fill_ratio.set(0.75)
    before = worker("triage-a", metrics)
    metrics.records_consumed.labels("complaint").inc(50)
    metrics.records_enriched.labels("complaint").inc(40)
    metrics.records_dead_lettered.labels("decode", "not_json").inc(10)
    metrics.batch_records.observe(20)
    metrics.batch_records.observe(30)
    metrics.model_seconds.observe(2.5)
    members = [
        Member("triage-a", "10.0.0.9", "worker", ((TOPIC, 0), (TOPIC, 1))), Member("alerter-0", "10.0.0.2", "alerter"),
    ]  # fmt: skip
    offsets = {(TOPIC, 0): Offsets(0, 7, 3), (TOPIC, 1): Offsets(0, 2, 1)}
    view = view_of(reading(0, before), reading(5, worker("triage-a", metrics), members=members, offsets=offsets))
    process, _ = view.processes
    assert (process.in_per_s, process.out_per_s, process.lag, process.partitions) == (10, 10, 5, 2)
    assert (process.busy, process.batch_records, process.batch_fill) == (0.5, 25, 0.75)
    assert (process.model, process.device, process.precision) == ("m@1", "cuda", "fp16")
    assert view.problems == [
        "alerter alerter-0 can’t be monitored: no metrics: set its health_port, or name it in fleet.processes"
    ]


def test_members_without_metrics_are_shown_and_said():
    members = [Member("triage-a", "10.0.0.1", "worker"), Member("feedback.alerter-0", "10.0.0.2", "alerter")]
    refused = Answer("10.0.0.1:8081", error="connection refused")
    view = view_of(None, reading(0, refused, members=members))
    assert [(each.kind, each.up, each.error) for each in view.processes] == [
        ("worker", False, "connection refused"),
        ("alerter", False, "no metrics: set its health_port, or name it in fleet.processes"),
    ]
    assert any(each.startswith("worker triage-a does not respond (connection refused);") for each in view.problems)


def test_an_alerter_is_found_by_its_instance():
    answer = Answer("10.0.0.2:8081", about={"ok": True, "alerter": "0"})
    member = Member("feedback.alerter-0", "10.0.0.2", "alerter", (("feedback.window-counts", 0),))
    (process,) = view_of(None, reading(0, answer, members=[member])).processes
    assert (process.kind, process.name, process.up, process.partitions) == ("alerter", "feedback.alerter-0", True, 1)


def test_times_are_those_of_the_interval():
    metrics = Metrics()
    metrics.stage_seconds.labels("enrich").observe(30)
    before = worker("triage-a", metrics)
    for _ in range(20):
        metrics.stage_seconds.labels("enrich").observe(0.2)
        metrics.record_latency_seconds.observe(0.4)
    view = view_of(reading(0, before), reading(10, worker("triage-a", metrics)))
    (stage,) = view.stages
    assert stage.stage == "enrich"
    assert 100 < stage.p50_ms <= 250
    assert stage.per_s == 2
    assert 0.25 < view.latency_p95_s <= 0.5


def test_records_that_retention_deleted_unread_are_said_before_and_after_a_worker_passes_them():
    metrics = Metrics()
    metrics.records_expired.labels(TOPIC).inc(20)
    view = view_of(None, reading(0, worker("triage-a", metrics), offsets={(TOPIC, 0): Offsets(1_025, 1_030, 5)}))
    assert f"{TOPIC}/0: retention deleted 1,020 records before a worker read them" in view.problems
    assert view.processes[0].expired == 20
    assert any(each.startswith("worker triage-a: retention deleted 20 records") for each in view.problems)


def test_a_partition_at_a_batch_that_cannot_be_read_is_named():
    waiting = {f"{TOPIC}/0": f"the batch at {TOPIC}/0/12 can't be read"}
    problems = view_of(None, reading(0, worker("triage-a", Metrics(), waiting_for=waiting))).problems
    assert f"worker triage-a waits for {TOPIC}/0: the batch at {TOPIC}/0/12 can't be read" in problems
