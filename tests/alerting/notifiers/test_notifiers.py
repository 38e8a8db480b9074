"""Notifiers: one attempt each, and which failures another attempt can mend."""

import asyncio
import json
import re
import traceback

import httpx
import pytest
from pydantic import ValidationError

from triage.alerting.notifiers import ADDRESSES, Notification, Refused, Throttled, build_notifiers
from triage.alerting.notifiers.slack import SlackNotifier
from triage.alerting.notifiers.webhook import WebhookNotifier
from triage.config import Settings
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.schemas.alert import Alert

URL = "https://receiver.example/secret-path"


def alert(status="firing", **changes):
    options = {
        "dedup_key": "triage-abc", "rule": "intent-spike", "key": "intent=delivery",
        "dimensions": {"intent": "delivery"},
        "status": status, "severity": "critical", "title": "Negative feedback spikes: intent delivery",
        "summary": "45 of 60 records were negative", "started_at": "2026-11-22T09:30:00.000Z",
        "updated_at": "2026-11-22T10:30:00.000Z", "window_s": 3600, "negative": 45, "total": 60, "share": 0.75,
        "peak_negative": 45,
    }  # fmt: skip
    return Alert(**(options | changes))


def answering(status, headers=None, text=""):
    sent = []

    def handle(request):
        sent.append(request)
        if isinstance(status, Exception):
            raise status
        return httpx.Response(status, headers=headers or {}, text=text)

    return httpx.MockTransport(handle), sent


async def send(transport, event="firing", *, resent=False, kind=WebhookNotifier):
    notifier = kind(URL, 5, transport)
    try:
        await notifier.send(Notification(event, alert(event), resent))
    finally:
        await notifier.close()


@pytest.mark.asyncio
async def test_the_webhook_gets_event_key_and_alert():
    transport, sent = answering(200)
    await send(transport, "firing")
    await send(transport, "resolved", resent=True)
    first, second = (json.loads(request.content) for request in sent)
    assert (first["event"], first["dedup_key"], first["resent"]) == ("firing", "triage-abc", False)
    assert first["alert"]["dimensions"] == {"intent": "delivery"}
    assert (second["event"], second["dedup_key"], second["resent"]) == ("resolved", "triage-abc", True)
    assert [request.headers["idempotency-key"] for request in sent] == ["triage-abc:firing", "triage-abc:resolved"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, Unavailable), (503, Unavailable), (408, Unavailable), (429, Throttled), (400, DependencyError),
        (404, Refused), (410, Refused), (302, Refused), (308, Refused), (413, DependencyError),
        (401, AccessDenied), (403, AccessDenied), (402, Refused), (405, Refused), (407, Refused), (421, Refused),
        (423, Refused), (451, Refused), (425, Unavailable),
        (httpx.ConnectError("refused"), Unavailable), (httpx.ReadTimeout("slow"), Unavailable),
    ],
)  # fmt: skip
@pytest.mark.parametrize("notifier", [WebhookNotifier, SlackNotifier])
async def test_failures_are_distinguished_and_never_show_the_address(status, kind, notifier):
    transport, _ = answering(status, text="no")
    with pytest.raises(kind) as raised:
        await send(transport, kind=notifier)
    assert type(raised.value) is kind
    assert raised.value.retriable is issubclass(kind, Unavailable)
    assert "secret-path" not in str(raised.value)


@pytest.mark.asyncio
@pytest.mark.parametrize("echo", ["Cannot POST /secret-path", f"no route for {URL}", "no /secret-path?key=k1 here"])
async def test_a_receiver_that_echoes_its_address_does_not_make_it_known(echo):
    transport, _ = answering(404, text=echo)
    with pytest.raises(Refused) as raised:
        await send(transport)
    assert "secret-path" not in str(raised.value)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("given", "seconds"),
    [("17", 17), ("0", 0), ("soon", 0), ("", 0), ("86400", 900), ("nan", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)],
)
async def test_retry_after_is_read_and_bounded(given, seconds):
    transport, _ = answering(429, {"retry-after": given})
    with pytest.raises(Throttled) as raised:
        await send(transport)
    assert raised.value.retry_after_s == seconds


NOWHERE = "http://127.0.0.1:1/secret-path"
EVERYTHING = {
    "webhook_url": f"{NOWHERE}/hook", "webhook_key": "top-secret-1-of-16", "slack_url": f"{NOWHERE}/slack",
    "teams_url": f"{NOWHERE}/teams?sig=top-secret-8",
    "pagerduty_key": "top-secret-2", "alertmanager_url": f"{NOWHERE}/one,{NOWHERE}/two",
    "alertmanager_token": "top-secret-3",
    "email_to": ["oncall@example.com"], "smtp_username": "u", "smtp_password": "top-secret-4",
    "wecom_url": f"{NOWHERE}?key=top-secret-5", "dingtalk_url": f"{NOWHERE}?access_token=top-secret-6",
    "dingtalk_secret": "top-secret-7",
}  # fmt: skip


def test_receivers_are_those_with_an_address():
    assert [n.name for n in build_notifiers(Settings().alerting)] == ["log"]
    built = build_notifiers(Settings(alerting=EVERYTHING).alerting)
    assert [n.name for n in built] == list(ADDRESSES)


def test_addresses_name_settings_that_are_there():
    fields = set(Settings().alerting.model_dump())
    assert {setting for setting in ADDRESSES.values() if setting} <= fields


def test_no_secret_is_shown(caplog, capsys):
    """Neither by settings nor by notifiers, nor by what is logged and raised when sending fails."""
    settings = Settings(alerting=EVERYTHING | {"pagerduty_url": "http://127.0.0.1:1", "smtp_port": 1}).alerting
    shown = [repr(settings), str(settings.model_dump())]
    for notifier in build_notifiers(settings):
        shown.append(repr(notifier))
        if notifier.name == "log":
            continue
        with pytest.raises(Unavailable) as raised:
            asyncio.run(notifier.send(Notification("firing", alert())))
        shown.append("".join(traceback.format_exception(raised.value)))
    said = "".join(shown) + caplog.text + "".join(capsys.readouterr())
    hidden = {*re.findall(r"top-secret-\d+", str(EVERYTHING)), "secret-path"}
    assert {secret for secret in hidden if secret in said} == set()


@pytest.mark.parametrize(
    ("alerting", "said"),
    [
        ({"slack_url": "hooks.slack.example/x"}, "slack_url must begin with http"),
        ({"alertmanager_url": "http://one:9093,two:9093"}, "alertmanager_url must begin with http"),
        ({"email_to": ["on call"]}, "not an e-mail address: 'on call'"),
        ({"smtp_username": "u"}, "smtp_username and smtp_password must be set together"),
        ({"smtp_username": "u", "smtp_password": "p", "smtp_security": "none"}, "would send smtp_password unencrypted"),
        ({"dingtalk_secret": "s"}, "dingtalk_secret is set without dingtalk_url"),
    ],
)
def test_settings_of_receivers_are_checked_at_start(alerting, said):
    with pytest.raises(ValidationError, match=said) as raised:
        Settings(alerting=alerting)
    assert "hooks.slack.example" not in str(raised.value)
