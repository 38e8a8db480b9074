"""Links in notifications: they act once, by a press of the button, and else say why they do nothing."""

import asyncio
import re
from dataclasses import dataclass, field
from types import SimpleNamespace

import httpx
import pytest

from triage.alerting.links import Link, LinkSigner
from triage.clock import ManualClock
from triage.config import ConsoleSettings, Settings
from triage.console.app import build_service
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.schemas.action import Matcher
from triage.web.health import WebHealth

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
KEY = "k" * 32
TOKENS = [
    {"name": "vera", "role": "viewer", "token": "v" * 16},
    {"name": "otto", "role": "operator", "token": "o" * 16},
]


class Recorder:
    def __init__(self):
        self.sent, self.down = [], False

    def __getattr__(self, name):
        def record(*what, link):
            if self.down:
                raise Unavailable("kafka", "no broker answers")
            self.sent.append((name, *what, link.id, link.receiver))

        return record


@dataclass
class Used:
    """What the reader of the topic knows."""

    actions: dict = field(default_factory=dict)
    caught_up: bool = True

    def used(self, link):
        return self.actions.get(link)

    def ready(self):
        return self.caught_up


class Console:
    def __init__(self, alert):
        self.recorder, self.used, self.alert, self.now_s = Recorder(), Used(), alert, NOW / 1000
        self.tokens = []

    def service(self):
        """A console with what the topic and the index have: a new one stands for a restart, or another replica."""
        alerting = Settings(alerting={"link_keys": KEY, "time_zone": "Asia/Shanghai"}).alerting
        return build_service(
            Metrics(), WebHealth(lambda: None), lambda key: self.alert if key == "triage-1" else None, self.recorder,
            ConsoleSettings(tokens=self.tokens), alerting, ManualClock(NOW), used_links=self.used,
            now_s=lambda: self.now_s,
        )  # fmt: skip

    def __call__(self, work, **headers):
        async def run():
            transport = httpx.ASGITransport(self.service())
            async with httpx.AsyncClient(transport=transport, base_url="http://console", headers=headers) as client:
                return await work(client)

        return asyncio.run(run())

    def press(self, token, *, times=1, headers=None, confirm=None, **login):
        """Open the link and press its button: (the page, the last answer)."""

        async def work(client):
            page = await client.get(f"/act/{token}")
            found = re.search(r'name="confirm" value="([^"]+)"', page.text)
            form = {"confirm": confirm or (found[1] if found else "")}
            for _ in range(times):
                answer = await client.post(f"/act/{token}", data=form, headers=headers or {})
            return page, answer

        return self(work, **login)


@pytest.fixture
def console(make_alert):
    return Console(make_alert(dedup_key="triage-1"))


def token(action="acknowledge", *, link_id="id-1", key=KEY, role="operator", ends_s=NOW // 1000 + 60, alert="triage-1"):
    return LinkSigner([key]).token(Link(link_id, alert, action, "slack", role, ends_s))


@pytest.mark.parametrize(
    ("action", "asked", "sent"),
    [
        ("acknowledge", "Acknowledge this alert?", ("acknowledge", "triage-1", "slack")),
        ("snooze", "Snooze this alert for 1 h?", ("snooze", "triage-1", "slack", 3600)),
        ("morning", "until 2026-11-23 00:00 UTC?", ("snooze", "triage-1", "slack", 52_200)),
        ("silence", "intent=delivery for 2 h?", ("silence", [Matcher("intent", "delivery")], "slack", 7200)),
        ("right", "Was it a right alert?", ("judge", "triage-1", "slack", "right")),
        ("false", "Was it a false alarm?", ("judge", "triage-1", "slack", "false")),
    ],
)
def test_the_button_of_the_page_acts_once_in_the_name_of_the_receiver(console, action, asked, sent):
    page, answer = console.press(token(action), cookie="triage_browser_zone=UTC")
    assert page.status_code == 200
    assert asked in page.text
    assert "Delivery complaints spike" in page.text
    assert "You act as slack." in page.text
    assert (answer.status_code, "You can close this page." in answer.text) == (200, True)
    assert console.recorder.sent == [(*sent, "id-1", "slack")]


def test_a_scanner_that_opens_the_link_changes_nothing(console):
    async def scan(client):
        answers = [await client.request(method, f"/act/{token()}") for method in ("GET", "HEAD", "GET")]
        prefetch = {"sec-purpose": "prefetch", "purpose": "prefetch"}
        answers.append(await client.get(f"/act/{token()}", headers=prefetch))
        return answers

    answers = console(scan)
    assert {answer.status_code for answer in answers} == {200}
    assert console.recorder.sent == []
    for answer in answers:
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answers[0].text


def test_a_blind_post_changes_nothing(console):
    for confirm in ("", "made up", token()):
        _, answer = console.press(token(), confirm=confirm or "x")
        assert answer.status_code == 400
        assert "Open the link again" in answer.text
    _, answer = console.press(token(), headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert console.recorder.sent == []


def test_the_confirmation_of_another_link_does_not_count(console):
    page, _ = console.press(token(link_id="id-2"))
    other = re.search(r'name="confirm" value="([^"]+)"', page.text)[1]
    console.recorder.sent.clear()
    assert console.press(token(), confirm=other)[1].status_code == 400
    assert console.recorder.sent == []


def test_a_used_link_says_by_whom_and_changes_nothing(console):
    _, answer = console.press(token(), times=2)
    assert answer.status_code == 409
    assert len(console.recorder.sent) == 1
    # Another console, or this one after a restart, knows it from the topic.
    console.used.actions["id-1"] = SimpleNamespace(actor="otto (slack)", at_ms=NOW)
    page, answer = console.press(token())
    assert (page.status_code, answer.status_code) == (409, 409)
    assert "This link was used by otto (slack) at 2026-11-22" in page.text
    assert len(console.recorder.sent) == 1


def test_before_the_topic_was_read_nothing_is_taken_for_unused(console):
    console.used.caught_up = False
    page, answer = console.press(token())
    assert (page.status_code, answer.status_code) == (503, 503)
    assert console.recorder.sent == []


@pytest.mark.parametrize(
    ("made", "status", "said"),
    [
        ({"key": "x" * 32}, 403, "This link is not valid"),
        ({"ends_s": NOW // 1000}, 410, "This link was valid until"),
        ({"alert": "triage-2"}, 404, "The alert is not stored"),
        ({"role": "viewer"}, 403, "Links in slack only show the alert"),
    ],
)
def test_a_link_that_does_nothing_says_why(console, made, status, said):
    for answer in console.press(token(**made)):
        assert (answer.status_code, said in answer.text) == (status, True)
        assert "Nothing was changed" in answer.text
    assert console.recorder.sent == []


def test_once_the_alert_is_over_it_can_only_be_assessed(console, make_alert):
    console.alert = make_alert("resolved", ended_ms=NOW, dedup_key="triage-1")
    page, answer = console.press(token())
    assert (page.status_code, answer.status_code) == (410, 410)
    assert "The alert is over." in page.text
    assert console.press(token("false"))[1].status_code == 200
    assert [sent[0] for sent in console.recorder.sent] == ["judge"]


def test_a_login_says_who_acts_and_a_viewer_may_not(console):
    console.tokens = TOKENS
    assert console.press(token())[1].status_code == 200, "the link is enough"
    _, answer = console.press(token(link_id="id-2"), authorization=f"Bearer {'o' * 16}")
    assert answer.status_code == 200
    # Also where the link itself only shows.
    _, answer = console.press(token(link_id="id-3", role="viewer"), authorization=f"Bearer {'o' * 16}")
    assert answer.status_code == 200
    assert [sent[2] for sent in console.recorder.sent] == ["slack", "otto (slack)", "otto (slack)"]
    page, answer = console.press(token(link_id="id-4"), authorization=f"Bearer {'v' * 16}")
    assert (page.status_code, answer.status_code) == (403, 403)
    assert "vera is a viewer" in page.text
    assert len(console.recorder.sent) == 3


def test_without_kafka_the_link_stays_unused(console):
    console.recorder.down = True
    assert console.press(token())[1].status_code == 503
    console.recorder.down = False
    assert console.press(token())[1].status_code == 200


def test_without_a_key_there_are_no_links(make_alert):
    app = build_service(Metrics(), WebHealth(lambda: None), lambda _: make_alert(), Recorder())

    async def run():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://console") as client:
            return await client.get(f"/act/{token()}"), await client.post(f"/act/{token()}")

    for answer in asyncio.run(run()):
        assert answer.status_code == 404
        assert "alerting.link_keys" in answer.text


def test_in_the_readers_language(console):
    page, answer = console.press(token(), **{"accept-language": "zh-CN"})
    assert "认领这个告警？" in page.text
    assert "告警已认领" in answer.text
