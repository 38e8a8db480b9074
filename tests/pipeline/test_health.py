"""Health: live while the loop moves, ready unless it waits for something."""

import httpx

from triage.clock import ManualClock
from triage.metrics import Metrics
from triage.pipeline.health import Health, HealthServer


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
