"""The page of one alert, as messages link to it."""

import asyncio
import re
from urllib.parse import quote

import httpx
import pytest

from triage.config import AlertingSettings
from triage.console.alerts.detail_page import Around, alert_page
from triage.console.app import build_service
from triage.console.web.headers import HEADERS
from triage.console.web.layout import PageContext
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.schemas.alert import Chart, HistoryEntry, Refusal, Share
from triage.translations import translations_for
from triage.web.health import WebHealth
from triage.web.identity import ANONYMOUS

HOUR = 3_600_000
CONTEXT = PageContext(translations_for("en"), ANONYMOUS, "../", "alerts/triage-1")


@pytest.fixture
def get():
    def call(find, path):
        app = build_service(Metrics(), WebHealth(lambda: None), find)

        async def request():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
                return await client.get(path)

        return asyncio.run(request())

    return call


def _plain(page):
    """Without the elements that give names their own direction."""
    return re.sub(r"</?bdi>", "", page)


def test_a_firing_alert_with_numbers_examples_and_runbook(get, make_alert):
    alert = make_alert(
        dedup_key="triage-1", runbook="https://wiki.example/a?b=1&c=2", top_entities=[Share("A & B", 7)],
        peak_expected=3.0, expected=2.5,
    )  # fmt: skip
    response = get({"triage-1": alert}.get, "/alerts/triage-1")
    assert response.status_code == 200
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    page = _plain(response.text)
    assert "<h1>Delivery complaints spike</h1><p>42 negative</p>" in page
    assert "<dt>Since</dt><dd>2026-11-22 07:30 UTC</dd>" in page
    assert "<dt>At its peak</dt><dd>41 negative in 1 h, 3 expected</dd>" in page
    assert "<dt>Latest window</dt><dd>40 of 42 (95%) in 1 h, 2.5 expected</dd>" in page
    assert "<dt>Until</dt>" not in page
    assert (
        '<blockquote><p dir="auto">Where is &lt;my&gt; parcel?</p> <a href="../records/1">open</a></blockquote>' in page
    )
    assert "<li>A &amp; B <b>7</b></li>" in page
    assert '<a href="https://wiki.example/a?b=1&amp;c=2" rel="noreferrer">Runbook</a>' in page


def test_a_resolved_alert_that_nobody_was_told_of(get, make_alert):
    alert = make_alert(
        "resolved",
        ended_ms=1_795_339_800_000 - HOUR // 2,
        paged=False,
        not_paged_because="too old",
        expected=None,
        peak_expected=None,
    )
    page = _plain(get(lambda _: alert, "/alerts/triage-1").text)
    assert "<dt>Until</dt><dd>2026-11-22 09:00 UTC</dd><dt>Lasted</dt><dd>1 h 30 min</dd>" in page
    assert "<dt>Not notified</dt><dd>too old</dd>" in page
    assert "expected</dd>" not in page


def test_an_alert_whose_receiver_refuses_says_so_and_who_took_it(get, make_alert):
    refusal = Refusal("webhook", "HTTP 403 <no>", "2026-11-22T09:00:00Z", retried=True)
    page = _plain(get(lambda _: make_alert(taken_by=["log", "slack"], refusals=[refusal]), "/alerts/triage-1").text)
    assert "<dt>Notified</dt><dd>log, slack</dd>" in page
    assert "<dd>webhook: HTTP 403 &lt;no&gt; (since 2026-11-22 09:00 UTC; it is asked again)</dd>" in page
    over = make_alert("resolved", ended_ms=1_795_339_800_000, refusals=[refusal])
    page = _plain(get(lambda _: over, "/alerts/triage-1").text)
    assert "<dd>webhook: HTTP 403 &lt;no&gt; (2026-11-22 09:00 UTC)</dd>" in page


def test_a_link_that_is_no_web_address_is_left_out(get, make_alert):
    page = get(lambda _: make_alert(runbook="javascript:alert(1)"), "/alerts/triage-1").text
    assert 'href="javascript' not in page
    assert ">Runbook<" not in page


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


def test_the_way_to_its_records_and_back_to_sleep(get, make_alert):
    alert = make_alert(dimensions={"intent": "delivery", "brand": "__other__"})
    page = get(lambda _: alert, "/alerts/triage-1").text
    link = "../explore?intent=delivery&amp;sentiment=negative&amp;from=2026-11-22T06%3A30&amp;to=2026-11-22T09%3A31"
    assert f'href="{link}"' in page
    assert f'href="{link}&amp;compare=1"' in page


def test_the_page_as_it_was_sent_is_in_the_language_of_pages(make_alert):
    page = alert_page(make_alert(), CONTEXT, AlertingSettings(language="zh"))
    assert "The notification as sent" in page
    assert '<pre dir="auto" lang="zh">Delivery complaints spike' in page
    assert "先做什么" in page
    assert "The notification as sent" not in alert_page(make_alert(paged=False), CONTEXT, AlertingSettings())


def test_in_chinese(get, make_alert):
    async def request():
        app = build_service(Metrics(), WebHealth(lambda: None), lambda _: make_alert())
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
            chosen = await client.get("/language/zh?next=alerts/triage-1")
            return chosen, await client.get("/alerts/triage-1")

    chosen, page = asyncio.run(request())
    assert (chosen.status_code, chosen.headers["location"]) == (303, "../alerts/triage-1")
    assert '<html lang="zh-CN">' in page.text
    assert "<dt>高峰</dt><dd>1 小时内负面 41 条，预期 1.5 条</dd>" in _plain(page.text)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "\\evil", "../x"])
def test_choosing_a_language_leads_nowhere_else(get, target):
    response = get(lambda _: None, f"/language/zh?next={quote(target, safe='')}")
    assert response.headers["location"] == "../"


def test_what_stands_out_is_told_apart_from_what_is_frequent(make_alert):
    alert = make_alert(top_entities=[Share("FastShip", 31, 8.2)], top_words=[Share("flooding", 17, 0.0)])
    page = _plain(alert_page(alert, CONTEXT, AlertingSettings()))
    assert "<h3>Named more than usual</h3>" in page
    assert "FastShip <b>31</b> usually 8.2" in page
    assert "flooding <b>17</b> usually 0" in page
    assert "<h3>Most often named</h3>" in alert_page(
        make_alert(top_entities=[Share("FastShip", 31)]), CONTEXT, AlertingSettings()
    )


def test_the_chart_is_drawn_with_its_words(make_alert):
    page = alert_page(
        make_alert(chart=Chart("2026-11-22T09:30:00.000Z", 300, [1, 8], [1.0, 1.5])), CONTEXT, AlertingSettings()
    )
    assert '<svg class="alert-chart"' in page
    assert 'aria-label="Negatives per step, observed and expected"' in page


def test_title_and_summary_are_in_the_readers_language_and_zone_whatever_the_notification_had(make_alert):
    alert = make_alert(
        peak_total=42, peak_expected=3.0, negative=20, window_end="2026-11-22T09:30:00.000Z",
        peak_end="2026-11-22T08:30:00.000Z",
    )  # fmt: skip
    chinese = PageContext(translations_for("zh", "Asia/Shanghai"), ANONYMOUS, "../", "alerts/triage-1")
    page = alert_page(alert, chinese, AlertingSettings())
    assert "<h1>物流配送投诉达预期的 14 倍 — 1 小时内峰值 42 条中 41 条负面</h1>" in page
    assert "15:30 至 16:30 UTC+8 (07:30–08:30 UTC)" in page
    assert "Delivery complaints spike" not in page
    assert "At the peak, between 07:30 and 08:30 UTC" in alert_page(alert, CONTEXT, AlertingSettings())


def test_the_history_says_who_did_what_and_earlier_alerts_of_the_key_are_listed(make_alert):
    entries = [
        HistoryEntry(id="1", action="acknowledge", by="Kim", at="2026-11-22T08:00:00.000Z", via="slack"),
        HistoryEntry(id="2", action="comment", by="Lee", at="2026-11-22T08:05:00.000Z", comment="<b>flooded</b>"),
    ]
    alert = make_alert(told_at="2026-11-22T07:42:00.000Z", taken_by=["log", "slack"], history=entries)
    earlier = make_alert("resolved", started_ms=1_795_339_800_000 - 100 * HOUR, ended_ms=1_795_339_800_000 - 99 * HOUR)
    page = _plain(alert_page(alert, CONTEXT, AlertingSettings(), around=Around([earlier])))
    assert "Told at 2026-11-22 07:42 UTC, 12 min after it began; it still fires." in page
    done = re.findall(r"<li><time[^>]*>([^<]*)</time> ([^<]*)", page)
    assert done[:4] == [
        ("2026-11-22 07:30 UTC", "It began"),
        ("2026-11-22 07:42 UTC", "Notified: log, slack"),
        ("2026-11-22 08:00 UTC", "Kim acknowledged it (link in slack)"),
        ("2026-11-22 08:05 UTC", "Lee commented"),
    ]
    assert '<blockquote dir="auto">&lt;b&gt;flooded&lt;/b&gt;</blockquote>' in page
    assert f'href="../alerts/{quote(earlier.dedup_key, safe="")}"' in page


def test_the_chart_shades_the_time_of_the_episode(make_alert):
    alert = make_alert(chart=Chart("2026-11-22T06:30:00.000Z", 3600, [1, 8, 9], [1.0, 1.5, 1.5]))
    page = alert_page(alert, CONTEXT, AlertingSettings())
    assert '<rect class="lasted" x="177.3"' in page
    assert "per 1 h" in page
