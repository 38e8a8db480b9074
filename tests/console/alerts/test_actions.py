"""Buttons of an alert's page: they send what they say, and only our own pages can press them."""

import asyncio
import hmac
import re

import httpx
import pytest
from pydantic import SecretStr

from triage.console.alerts.actions import FormTokens
from triage.console.app import build_service
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.schemas.action import Matcher
from triage.web.health import WebHealth

KEY = "triage-1"


class Recorder:
    def __init__(self):
        self.sent = []
        self.down = False

    def _put(self, *what):
        if self.down:
            raise Unavailable("kafka", "no broker answers")
        self.sent.append(what)

    def acknowledge(self, dedup_key, actor, comment=""):
        self._put("acknowledge", dedup_key, actor, comment)

    def snooze(self, dedup_key, actor, for_s, comment=""):
        self._put("snooze", dedup_key, actor, for_s, comment)

    def judge(self, dedup_key, actor, verdict, comment=""):
        self._put("judge", dedup_key, actor, verdict, comment)

    def unacknowledge(self, dedup_key, actor, comment=""):
        self._put("unacknowledge", dedup_key, actor, comment)

    def assign(self, dedup_key, actor, to):
        self._put("assign", dedup_key, actor, to)

    def comment(self, dedup_key, actor, comment):
        self._put("comment", dedup_key, actor, comment)

    def resolve(self, dedup_key, actor, comment=""):
        self._put("resolve", dedup_key, actor, comment)

    def silence(self, matchers, actor, for_s, comment=""):
        self._put("silence", matchers, actor, for_s, comment)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def visit(recorder, make_alert):
    """Open the page, then post to it: (page, response)."""

    def call(kind, form, *, alert=None, headers=None, token=None, cookies=True):
        found = alert or make_alert(dedup_key=KEY)
        app = build_service(Metrics(), WebHealth(lambda: None), {KEY: found}.get, recorder)

        async def run():
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://console") as client:
                page = await client.get(f"/alerts/{KEY}")
                given = re.search(r'name="token" value="([\w.-]+)"', page.text)
                if not cookies:
                    client.cookies.clear()
                sent = {"sec-fetch-site": "same-origin"} if headers is None else headers
                data = {"token": token or (given[1] if given else "")} | form
                return page, await client.post(f"/alerts/{KEY}/{kind}", data=data, headers=sent)

        return asyncio.run(run())

    return call


def test_the_page_offers_what_can_be_done(visit):
    page, _ = visit("acknowledge", {})
    assert page.headers["cache-control"] == "no-store"
    cookie = page.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    for button in ("<button>Acknowledge</button>", "<button>Snooze</button>", "<button>Silence</button>"):
        assert button in page.text
    assert 'value="intent=delivery" checked' in page.text


def test_each_button_sends_its_action_and_leads_back(visit, recorder):
    _, response = visit("acknowledge", {"by": "Kim", "comment": "on it"})
    assert (response.status_code, response.headers["location"]) == (303, f"../../alerts/{KEY}?done=acknowledge")
    visit("snooze", {"by": "Kim", "for_s": "7200"})
    visit("silence", {"by": "Kim", "for_s": "1800", "match": ["intent=delivery", "rule=delivery"]})
    assert recorder.sent == [
        ("acknowledge", KEY, "Kim", "on it"),
        ("snooze", KEY, "Kim", 7200, ""),
        ("silence", [Matcher("intent", "delivery"), Matcher("rule", "delivery")], "Kim", 1800, ""),
    ]


@pytest.mark.parametrize(
    "attempt",
    [
        {"token": "0" * 64},
        {"token": "ü" * 64},
        {"cookies": False},
        {"headers": {"origin": "https://evil.example"}},
        {"headers": {"origin": "null"}},
        {"headers": {"sec-fetch-site": "cross-site"}},
        {"headers": {}},
    ],
)
def test_what_is_not_from_our_page_is_refused(visit, recorder, attempt):
    _, response = visit("acknowledge", {"by": "Kim"}, **attempt)
    assert response.status_code == 403
    assert recorder.sent == []


def test_our_own_origin_passes(visit, recorder):
    headers = {"origin": "http://console", "sec-fetch-site": "same-origin"}
    assert visit("acknowledge", {"by": "Kim"}, headers=headers)[1].status_code == 303
    bearer = {"authorization": "Bearer t", "sec-fetch-site": "same-origin"}
    assert visit("acknowledge", {"by": "Kim"}, headers=bearer, cookies=False)[1].status_code == 303
    assert len(recorder.sent) == 2


@pytest.mark.parametrize(
    ("kind", "form", "said"),
    [
        ("acknowledge", {}, "your name is missing"),
        ("snooze", {"by": "Kim", "for_s": "999999999"}, "the duration is missing"),
        ("snooze", {"by": "Kim", "for_s": "²"}, "the duration is missing"),
        ("snooze", {"by": "Kim", "for_s": "7200.0"}, "the duration is missing"),
        ("snooze", {"by": "Kim", "for_s": "9" * 5_000}, "the duration is missing"),
        ("silence", {"by": "Kim", "for_s": "1800"}, "needs at least one matcher"),
        ("judge", {"by": "Kim"}, "choose right or false"),
        ("judge", {"by": "Kim", "verdict": "maybe"}, "choose right or false"),
        ("judge", {"by": "Kim", "verdict": ["right", "false"]}, "choose right or false"),
        ("silence", {"by": "Kim", "for_s": "1800", "match": ["<b>=1"]}, "unknown field &#39;&lt;b&gt;&#39;"),
    ],
)
def test_a_form_that_is_not_whole_says_what_is_missing(visit, recorder, kind, form, said):
    _, response = visit(kind, form)
    assert response.status_code == 400
    assert said in response.text
    assert recorder.sent == []


def test_more_fields_than_a_form_has_are_no_form(visit, recorder):
    _, response = visit("silence", {"by": "Kim", "for_s": "1800", "match": [f"brand={n}" for n in range(60)]})
    assert response.status_code == 403
    assert recorder.sent == []


def test_consoles_with_one_session_key_take_the_forms_of_each_other():
    key = SecretStr("the key of both")
    page = FormTokens(key).token("a cookie")
    assert page == FormTokens(SecretStr("the key of both")).token("a cookie")
    assert page != FormTokens(SecretStr("another")).token("a cookie")
    assert page != hmac.digest(b"the key of both", b"a cookie", "sha256").hex()
    assert FormTokens().token("a cookie") != FormTokens().token("a cookie")


def test_nothing_to_do_where_the_alert_is_over_or_kafka_away(visit, recorder, make_alert):
    over = make_alert("resolved", dedup_key=KEY, ended_ms=1_795_339_800_000)
    page, response = visit("acknowledge", {"by": "Kim"}, alert=over)
    assert "<button>Silence</button>" not in page.text
    assert response.status_code == 404
    recorder.down = True
    _, response = visit("acknowledge", {"by": "Kim"})
    assert response.status_code == 503
    assert "no broker answers" in response.text


def test_who_acknowledged_stands_on_the_page(visit, make_alert):
    from triage.schemas.alert import Acknowledgement

    who = Acknowledgement("Kim <k>", "2026-11-22T09:31:00.000Z", "calling the carrier")
    page, _ = visit("acknowledge", {}, alert=make_alert(dedup_key=KEY, acknowledged=who, state="ongoing"))
    assert "by Kim &lt;k&gt; at 2026-11-22 09:31 UTC: calling the carrier" in page.text
    assert ">ongoing<" in page.text


def test_an_alert_that_is_over_can_be_assessed_and_that_be_taken_back(visit, recorder, make_alert):
    from triage.schemas.alert import Assessment

    over = make_alert("resolved", dedup_key=KEY, ended_ms=1_795_339_800_000)
    page, response = visit("judge", {"by": "Kim", "verdict": "false", "comment": "a sale"}, alert=over)
    assert (response.status_code, response.headers["location"]) == (303, f"../../alerts/{KEY}?done=judge")
    assert 'value="withdrawn"' not in page.text
    assert f'<a href="../rules/{over.rule}">' in page.text
    page, response = visit("comment", {"by": "Kim", "comment": "the post-mortem is written"}, alert=over)
    assert (response.status_code, response.headers["location"]) == (303, f"../../alerts/{KEY}?done=comment")
    assert "Store in the history" in page.text
    assert "Send to the receivers" not in page.text
    assert recorder.sent.pop() == ("comment", KEY, "Kim", "the post-mortem is written")
    said = Assessment("false", "Kim <k>", "2026-11-22T09:31:00.000Z", "a sale")
    over = make_alert("resolved", dedup_key=KEY, ended_ms=1_795_339_800_000, assessment=said)
    page, _ = visit("judge", {"by": "Kim", "verdict": "withdrawn"}, alert=over)
    assert "false · by Kim &lt;k&gt; at 2026-11-22 09:31 UTC: a sale" in page.text
    assert recorder.sent == [("judge", KEY, "Kim", "false", "a sale"), ("judge", KEY, "Kim", "withdrawn", "")]


def test_it_is_given_back_assigned_commented_and_ended(visit, recorder, make_alert):
    from triage.schemas.alert import Acknowledgement

    known = make_alert(dedup_key=KEY, acknowledged=Acknowledgement("Lee", "2026-11-22T09:31:00.000Z"))
    page, _ = visit("unacknowledge", {"by": "Kim"}, alert=known)
    assert "<button>Give back</button>" in page.text
    assert "<button>Acknowledge</button>" not in page.text
    visit("assign", {"by": "Kim", "to": "Lee"})
    visit("comment", {"by": "Kim", "comment": "the depot is flooded"})
    assert visit("comment", {"by": "Kim", "comment": " "})[1].status_code == 400
    visit("resolve", {"by": "Kim", "comment": "refunded"})
    assert recorder.sent == [
        ("unacknowledge", KEY, "Kim", ""),
        ("assign", KEY, "Kim", "Lee"),
        ("comment", KEY, "Kim", "the depot is flooded"),
        ("resolve", KEY, "Kim", "refunded"),
    ]
