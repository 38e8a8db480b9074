"""The reader's zone: chosen, else the browser's, else that of the settings."""

import asyncio
import html
import re

import httpx
import pytest
from html_reader import HtmlReader
from starlette.requests import HTTPConnection

from triage.clock import ManualClock
from triage.config import AlertingSettings
from triage.console.app import build_service
from triage.console.web.zone import zone_of, zone_script
from triage.metrics import Metrics
from triage.web.health import WebHealth

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z


def _connection(cookies="", scheme="http", **scope):
    headers = [(b"cookie", cookies.encode())]
    return HTTPConnection({"type": "http", "scheme": scheme, "headers": headers, **scope})


@pytest.mark.parametrize(("cookies", "zone"), [
    ("", "Europe/Berlin"),
    ("triage_browser_zone=Asia/Shanghai", "Asia/Shanghai"),
    ("triage_browser_zone=Asia/Shanghai; triage_time_zone=UTC", "UTC"),
    ('triage_time_zone="America/New_York"', "America/New_York"),
    ("triage_browser_zone=Moon/Crater", "Europe/Berlin"),
    ("triage_time_zone=../../etc/passwd; triage_browser_zone=Asia/Tokyo", "Asia/Tokyo"),
])  # fmt: skip
def test_a_choice_counts_before_the_browser_and_that_before_the_settings(cookies, zone):
    assert zone_of(_connection(cookies, **{"triage.default_zone": "Europe/Berlin"})) == zone


def test_the_script_sends_a_zone_once_and_loads_the_page_again_for_nobody_who_has_chosen():
    assert "location.reload()" in zone_script(_connection())
    assert "location.reload()" not in zone_script(_connection("triage_time_zone=UTC"))
    assert "location.reload()" not in zone_script(_connection(), reload=False)
    known = zone_script(_connection("triage_browser_zone=</script>"))
    assert 'zone !== "\\u003c/script\\u003e"' in known
    secure = zone_script(_connection(scheme="https"))
    assert '"__Host-triage_browser_zone"' in secure
    assert "; Secure" in secure


@pytest.fixture
def visit(make_alert):
    """Open pages one after the other in one browser; addresses are from the top."""

    def call(*paths, zone="Asia/Shanghai", cookies=None):
        app = build_service(
            Metrics(), WebHealth(lambda: None), lambda _: make_alert(), None, None,
            AlertingSettings(time_zone=zone), ManualClock(NOW),
        )  # fmt: skip

        async def run():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://console", cookies=cookies) as client:
                return [await client.get(f"/{path}") for path in paths]

        return asyncio.run(run())

    return call


def test_an_alert_without_a_known_zone_has_that_of_its_owner_and_utc(visit):
    (page,) = visit("alerts/a")
    text = HtmlReader(page.text).text
    assert "2026-11-22 15:30 UTC+8 (07:30 UTC)" in text
    assert 'aria-label="Times: Asia/Shanghai; choose another zone"' in page.text
    (page,) = visit("alerts/a", cookies={"triage_browser_zone": "America/New_York"})
    assert "2026-11-22 02:30 UTC-5 (07:30 UTC)" in HtmlReader(page.text).text


def test_a_zone_is_chosen_and_taken_back(visit):
    page, chosen, after, back, last = visit(
        "time-zone?next=alerts/a", "time-zone/choose?zone=America/St_Johns&next=alerts/a", "alerts/a",
        "time-zone/choose?zone=&next=alerts/a", "alerts/a",
    )  # fmt: skip
    found = HtmlReader(page.text)
    assert "Now: 2026-11-22 17:30 UTC+8 (09:30 UTC)" in found.text
    assert "As the browser: Asia/Shanghai" in found.text
    assert "America/St Johns · UTC-3:30" in found.text
    names = re.findall(r'<option value="([^"]+)"', page.text)
    assert len(names) > 300
    assert (names[0], names[1:]) == ("UTC", sorted(names[1:]))
    assert 'name="next" value="alerts/a"' in html.unescape(page.text)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "../alerts/a")
    assert "2026-11-22 04:00 UTC-3:30 (07:30 UTC)" in HtmlReader(after.text).text
    assert back.headers["location"] == "../alerts/a"
    assert "2026-11-22 15:30 UTC+8 (07:30 UTC)" in HtmlReader(last.text).text


@pytest.mark.parametrize("query", ["zone=Moon/Crater", "zone=..%2F..%2Fx", "zone=UTC&next=//evil.example"])
def test_nonsense_is_not_kept_and_leads_nowhere_else(visit, query):
    (answer,) = visit(f"time-zone/choose?{query}")
    assert answer.headers["location"] == "../"
    assert ("set-cookie" in answer.headers) == query.startswith("zone=UTC")
