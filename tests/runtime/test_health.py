"""Health: live while the loop moves, ready unless it waits for something."""

import socket
import threading

import httpx
import pytest
from structlog.testing import capture_logs

from triage.clock import ManualClock
from triage.errors import ConfigError
from triage.metrics import Metrics
from triage.runtime import listener
from triage.runtime.health import Health, HealthServer, require_free_port


def test_live_and_ready():
    clock = ManualClock()
    health = Health(clock, {"worker": "a"})
    assert health.live()[0]
    clock.advance(61)
    assert not health.live()[0]
    health.beat()
    assert health.live()[0]
    health.waiting_for("elasticsearch", "connection refused")
    assert health.ready() == (False, {"waiting_for": {"elasticsearch": "connection refused"}, "worker": "a"})
    health.recovered("elasticsearch")
    assert health.ready()[0]


def test_the_server_answers():
    metrics = Metrics()
    metrics.records_consumed.labels("complaint").inc(3)
    health = Health(ManualClock(), {"worker": "a"})
    server = HealthServer(health, metrics, 0, "127.0.0.1")
    server.start()
    try:
        base = f"http://127.0.0.1:{server.port}"
        assert httpx.get(f"{base}/ready").json() == {"ok": True, "waiting_for": {}, "worker": "a"}
        health.waiting_for("kafka", "away")
        assert httpx.get(f"{base}/ready").status_code == 503
        assert httpx.get(f"{base}/live").status_code == 200
        assert 'triage_records_consumed_total{channel="complaint"} 3.0' in httpx.get(f"{base}/metrics").text
        assert httpx.get(f"{base}/nothing").status_code == 404
    finally:
        server.stop()


@pytest.fixture
def server():
    server = HealthServer(Health(ManualClock()), Metrics(), 0, "127.0.0.1")
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize("sent", [b"", b"GET /live"])
def test_a_client_that_says_nothing_more_keeps_nobody_waiting(server, sent, monkeypatch):
    # Longer than is waited here: nobody is let in because it was hung up on.
    monkeypatch.setattr(listener.Request, "timeout", 300)
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(sent)
        for path in ("live", "ready", "metrics"):
            assert httpx.get(f"http://127.0.0.1:{server.port}/{path}", timeout=30).status_code == 200
        stopping = threading.Thread(target=server.stop, daemon=True)
        stopping.start()
        stopping.join(timeout=30)
        assert not stopping.is_alive()


def test_a_client_that_says_nothing_is_hung_up_on_without_a_word(server, monkeypatch, capfd):
    monkeypatch.setattr(listener.Request, "timeout", 0.05)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as idle:
        assert idle.recv(1) == b""
    assert capfd.readouterr().err == ""


def test_a_server_that_never_started_can_be_stopped():
    HealthServer(Health(ManualClock()), Metrics(), 0, "127.0.0.1").stop()


def test_an_outage_is_two_lines_however_long_it_takes():
    clock = ManualClock()
    health = Health(clock)
    with capture_logs() as logs:
        for _ in range(200):
            health.outage("kafka", "no broker answered")
            clock.advance(2)
        health.outage("elasticsearch", "overloaded")
        assert set(health.ready()[1]["waiting_for"]) == {"kafka", "elasticsearch"}
        health.recovered("kafka")
        health.recovered("kafka")
        health.recovered()
    assert [(entry["event"], entry["dependency"]) for entry in logs] == [
        ("dependency_unavailable", "kafka"), ("dependency_unavailable", "elasticsearch"),
        ("dependency_available_again", "kafka"), ("dependency_available_again", "elasticsearch"),
    ]  # fmt: skip
    assert (logs[2]["failures"], logs[2]["after_s"]) == (200, 400)
    assert health.ready()[0]


def test_a_port_that_is_taken_is_one_sentence_with_the_setting():
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"worker\.health_port: cannot listen on port {port}: another process"):
            require_free_port(port, "worker.health_port")
    require_free_port(port, "worker.health_port")
    require_free_port(0, "worker.health_port")
