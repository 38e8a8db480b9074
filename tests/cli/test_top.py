"""`triage top`: the picture, the figures for scripts, and what it says where nothing is reached."""

import json

import msgspec
import pytest
from alerts import ALERT
from cli import run
from kafka import KafkaProducer
from rich.console import Console

from triage.cli.top_screen import Screen
from triage.clock import ManualClock
from triage.config import load_settings
from triage.fleet import FleetView, PartitionLag, ProcessView
from triage.local.stack import free_port
from triage.metrics import Metrics
from triage.runtime.health import Health, HealthServer
from triage.schemas.deadletter import DeadLetter
from triage.topics import apply_topics

LETTER = DeadLetter(
    stage="decode", reason="not_json", message="not JSON", topic="t", partition=0, offset=1, timestamp_ms=1,
    failed_at="2026-11-22T09:30:00Z", attempts=1, pipeline="0.1.0", payload="x", payload_bytes=1, headers={},
)  # fmt: skip


def drawn(view, screen=None, rows=None):
    console = Console(width=120, file=None, record=True, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print((screen or Screen("lag")).of(view, rows))
    return captured.get()


def view(**fields):
    partitions = [
        PartitionLag(topic="feedback.complaints", partition=at, lag=lag, in_per_s=at, out_per_s=9 - at, worker="w" * at)
        for at, lag in enumerate((5, 12_000, 40, 0, 0, 0))
    ]
    return FleetView(at="2026-11-22T09:30:00.000Z", interval_s=15, partitions=partitions, **fields)


def test_the_worst_partition_comes_first_and_one_without_worker_is_named():
    lines = drawn(view()).splitlines()
    rows = [line.split() for line in lines if line.startswith("feedback.complaints")]
    assert [row[2] for row in rows] == ["12,000", "40", "5", "0", "0", "0"]
    assert rows[2][-1] == "nobody"


def test_keys_pause_and_sort():
    screen = Screen("lag")
    assert "paused" not in drawn(view(), screen, rows=50)
    screen.press("p")
    screen.press("s")
    picture = drawn(view(), screen, rows=50)
    assert "paused" in picture
    assert "Partitions by in" in picture
    screen.press(" ")
    assert not screen.paused


def test_a_small_terminal_shows_the_first_partitions_and_how_many_more():
    assert "3 more" in drawn(view(), rows=15)


def test_problems_errors_and_open_markup_are_shown_as_text():
    screen = Screen("lag")
    screen.error = "kafka: [refused]"
    process = ProcessView(kind="worker", name="[red]a", up=True, ready=True, fallback=True, model="m@1", device="cpu")
    picture = drawn(view(problems=["worker [red]a: something"], processes=[process]), screen)
    assert "! kafka: [refused]" in picture
    assert "! worker [red]a: something" in picture
    assert "fell back" in picture


def test_nothing_reached_says_what_to_check(capfd):
    where = f"127.0.0.1:{free_port()}"
    outcome = run(capfd, "top", "--once", "--bootstrap-servers", where, "--set", "kafka.start_timeout_s=0.3")
    assert outcome.code == 1
    assert where in outcome.err
    assert "TRIAGE_KAFKA__BOOTSTRAP_SERVERS" in outcome.err


def test_a_sort_that_is_none(capfd):
    outcome = run(capfd, "top", "--sort", "size")
    assert outcome.code == 2
    assert "lag, in, out, name" in outcome.err


@pytest.mark.stack
def test_json_of_a_fleet(capfd, stack, prefix, monkeypatch):
    monkeypatch.setattr("triage.fleet.monitor._TIMEOUT_S", 60)
    flags = {"kafka.bootstrap_servers": stack.bootstrap_servers, "kafka.topic_prefix": prefix}
    kafka = load_settings(None, flags).kafka
    apply_topics(kafka)
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number in range(5):
        producer.send(kafka.topic("complaints"), value=b'{"text": "x"}', partition=number % 2)
    producer.send(kafka.topic("dead-letter"), key=b"t/0/1", value=msgspec.json.encode(LETTER))
    for status, state in (("firing", "firing"), ("resolved", "resolved"), ("firing", "ongoing")):
        key = b"a" if state != "ongoing" else b"b"
        stored = {**ALERT, "status": status, "state": state}
        producer.send(kafka.topic("alerts"), key=key, value=msgspec.json.encode(stored))
    producer.flush()
    producer.close()
    server = HealthServer(Health(ManualClock(), {"worker": f"{prefix}-a"}), Metrics(), 0, "127.0.0.1")
    server.start()
    try:
        outcome = run(
            capfd, "top", "--once", "--json", "--interval", "0.2", "--process", f"127.0.0.1:{server.port}",
            *(f"--set={name}={value}" for name, value in flags.items()), f"--set=worker.group={prefix}",
            "--set=fleet.timeout_s=30", "--set=alerting.console_url=http://127.0.0.1:9",
        )  # fmt: skip
    finally:
        server.stop()
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    assert found["lag"] == 5
    assert sorted(each["lag"] for each in found["partitions"])[-2:] == [2, 3]
    assert [(each["kind"], each["name"]) for each in found["processes"]] == [("worker", f"{prefix}-a")]
    assert found["problems"] == [
        "No worker is in the group: nothing is processed. Start one: triage worker",
        "No alerter is in the group: nobody is paged. Start one: triage alerter",
        "No console answers at http://127.0.0.1:9 (connection refused): links in notifications lead there. "
        "Start one: triage console; alerting.console_url is its address.",
    ]
    assert [each["kind"] for each in found["needs"]] == ["no_worker", "no_alerter", "no_console"]
    assert found["dead_letters"] == {"not_json": 1}
    assert found["alerts"] == {"resolved": 1, "ongoing": 1}
    assert [each["title"] for each in found["open_alerts"]] == [ALERT["title"]]
