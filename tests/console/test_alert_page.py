"""The page of one alert, as messages link to it."""

import asyncio

import httpx
import pytest

from triage.console.app import build_service
from triage.console.headers import HEADERS
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.schemas.alert import Share

HOUR = 3_600_000


@pytest.fixture
def get():
    def call(find, path):
        app = build_service(Metrics(), lambda: None, find)

        async def request():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
                return await client.get(path)

        return asyncio.run(request())

    return call


def test_a_firing_alert_with_numbers_examples_and_runbook(get, make_alert):
    alert = make_alert(dedup_key="triage-1", runbook="https://wiki.example/a?b=1&c=2", top_entities=[Share("A & B", 7)])
    response = get({"triage-1": alert}.get, "/alerts/triage-1")
    assert response.status_code == 200
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    page = response.text
    assert "<h2>Delivery complaints spike</h2><p>42 negative</p>" in page
    assert "<dt>Since</dt><dd>2026-11-22 07:30 UTC</dd>" in page
    assert "<dt>At its peak</dt><dd>41 negative in 1 h</dd>" in page
    assert "<dt>Latest window</dt><dd>40 of 42 (95%) in 1 h</dd>" in page
    assert "<dt>Until</dt>" not in page
    assert "<blockquote>Where is &lt;my&gt; parcel?</blockquote>" in page
    assert "<li>A &amp; B <b>7</b></li>" in page
    assert '<a href="https://wiki.example/a?b=1&amp;c=2" rel="noreferrer">What to do first</a>' in page


def test_a_resolved_alert_that_nobody_was_told_of(get, make_alert):
    alert = make_alert(
        "resolved", ended_ms=1_795_339_800_000 - HOUR // 2, paged=False, not_paged_because="too old", expected=None
    )
    page = get(lambda _: alert, "/alerts/triage-1").text
    assert "<dt>Until</dt><dd>2026-11-22 09:00 UTC</dd><dt>Lasted</dt><dd>1 h 30 min</dd>" in page
    assert "<dt>Not paged</dt><dd>too old</dd>" in page
    assert "<dt>Expected</dt>" not in page


def test_a_link_that_is_no_web_address_is_left_out(get, make_alert):
    page = get(lambda _: make_alert(runbook="javascript:alert(1)"), "/alerts/triage-1").text
    assert "javascript" not in page
    assert "What to do first" not in page


def test_an_unknown_key_is_named_and_escaped(get):
    response = get(lambda _: None, "/alerts/%3Cb%3E")
    assert response.status_code == 404
    assert "There is no alert &lt;b&gt; in the index." in response.text


def test_without_elasticsearch_it_says_so(get):
    def away(_):
        raise Unavailable("elasticsearch", "connection refused")

    response = get(away, "/alerts/triage-1")
    assert response.status_code == 503
    assert "elasticsearch: connection refused" in response.text
