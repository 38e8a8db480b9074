"""Endpoints and headers of the console, without the page."""

import asyncio
import threading

import httpx
import pytest

from triage.clock import ManualClock
from triage.config import ConsoleSettings
from triage.console.app import build_service
from triage.console.web.headers import HEADERS
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.runtime.health import Health
from triage.web.health import WebHealth


@pytest.fixture
def get():
    """GET a path of the service; `get.away` makes Elasticsearch absent."""

    def ping():
        if call.away:
            raise Unavailable("elasticsearch", "connection refused")

    metrics = Metrics()
    app = build_service(metrics, WebHealth(ping), lambda key: None)

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


@pytest.mark.asyncio
async def test_strangers_learn_no_names_of_hosts_from_the_probes():
    def ping():
        raise Unavailable("elasticsearch", "http://secret-host:9200 refused")

    health = Health(ManualClock(), {"console": "secret-name"})
    tokens = [{"name": "vera", "token": "the-token-of-vera-0123"}]
    app = build_service(Metrics(), WebHealth(ping, health), lambda key: None, settings=ConsoleSettings(tokens=tokens))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        answer = await client.get("/ready")
        assert (answer.status_code, answer.json()) == (
            503,
            {"ok": False, "waiting_for": {"elasticsearch": "unavailable"}},
        )
        wrong = await client.get("/ready", headers={"authorization": "Bearer a-wrong-token-0123456"})
        assert (wrong.status_code, wrong.json()) == (503, answer.json())
        known = await client.get("/ready", headers={"authorization": "Bearer the-token-of-vera-0123"})
        assert known.json()["console"] == "secret-name"
        assert "secret-host" in known.json()["waiting_for"]["elasticsearch"]


@pytest.mark.asyncio
async def test_simultaneous_probes_take_one_thread():
    begun, release, asked = threading.Event(), threading.Event(), []

    def ping():
        asked.append(1)
        begun.set()
        assert release.wait(10)

    app = build_service(Metrics(), WebHealth(ping), lambda key: None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
        probes = [asyncio.ensure_future(client.get("/ready")) for _ in range(100)]
        await asyncio.to_thread(begun.wait, 10)
        assert (await client.get("/live")).status_code == 200
        release.set()
        assert [answer.status_code for answer in await asyncio.gather(*probes)] == [200] * 100
    assert len(asked) == 1


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


def test_a_page_of_its_own_that_fails_has_the_security_headers():
    def broken(key):
        raise RuntimeError("a text of somebody")

    app = build_service(Metrics(), WebHealth(lambda: None), broken)

    async def request():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
            return await client.get("/alerts/abc", headers={"accept": "text/html"})

    answer = asyncio.run(request())
    assert answer.status_code == 500
    assert "This page failed" in answer.text
    assert "somebody" not in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
