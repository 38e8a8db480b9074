"""Endpoints and headers of the console, without the page."""

import asyncio

import httpx
import pytest

from triage.console.app import build_service
from triage.console.web.headers import HEADERS
from triage.errors import Unavailable
from triage.metrics import Metrics


@pytest.fixture
def get():
    """GET a path of the service; `get.away` makes Elasticsearch absent."""

    def ping():
        if call.away:
            raise Unavailable("elasticsearch", "connection refused")

    metrics = Metrics()
    app = build_service(metrics, ping, lambda key: None)

    def call(path):
        async def request():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
                return await client.get(path)

        return asyncio.run(request())

    call.away = False
    call.metrics = metrics
    return call


def test_live_even_while_elasticsearch_is_away(get):
    get.away = True
    assert get("/live").status_code == 200


def test_ready_says_what_it_waits_for(get):
    assert get("/ready").json() == {"ok": True, "waiting_for": {}}
    get.away = True
    response = get("/ready")
    assert response.status_code == 503
    assert response.json()["waiting_for"] == {"elasticsearch": "elasticsearch: connection refused"}


def test_metrics_come_in_the_text_format(get):
    get.metrics.console_read_failures.inc()
    response = get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert "triage_console_read_failures_total 1.0" in response.text


@pytest.mark.parametrize("path", ["/live", "/ready", "/metrics", "/docs", "/nowhere"])
def test_every_answer_carries_the_security_headers(get, path):
    response = get(path)
    assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_no_api_browser(get):
    assert [get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")] == [404, 404, 404]
