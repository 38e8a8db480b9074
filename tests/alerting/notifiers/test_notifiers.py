"""Notifiers: one attempt each, and which failures another attempt can mend."""

import json

import httpx
import pytest

from triage.alerting.notifiers import Notification, Throttled, build_notifiers
from triage.alerting.notifiers.slack import SlackNotifier, message
from triage.alerting.notifiers.webhook import WebhookNotifier
from triage.config import Settings
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.schemas.alert import Alert, Example, Share

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
        (404, DependencyError), (302, DependencyError), (401, AccessDenied), (403, AccessDenied),
        (httpx.ConnectError("refused"), Unavailable), (httpx.ReadTimeout("slow"), Unavailable),
    ],
)  # fmt: skip
@pytest.mark.parametrize("notifier", [WebhookNotifier, SlackNotifier])
async def test_failures_are_told_apart_and_never_show_the_address(status, kind, notifier):
    transport, _ = answering(status, text="no")
    with pytest.raises(kind) as raised:
        await send(transport, kind=notifier)
    assert raised.value.retriable is issubclass(kind, Unavailable)
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


def test_slack_says_what_where_since_when_how_much_and_what_to_do():
    full = alert(
        runbook="https://runbooks.example/delivery",
        console_url="https://console.example/alerts/triage-abc",
        top_intents=[Share("delivery", 45)],
        top_entities=[Share("parcel", 12)],
        examples=[Example("1", "Where is my parcel?\nStill waiting <!channel>", "delivery", "complaint", "")],
    )
    payload = message(Notification("firing", full))
    text = json.dumps(payload, ensure_ascii=False)
    for part in (
        "Negative feedback spikes: intent delivery", "45 of 60 records were negative", "delivery (45)", "parcel (12)",
        "Where is my parcel? Still waiting &lt;!channel&gt;", "<https://runbooks.example/delivery|What to do first>",
        "critical", "triage-abc", ":rotating_light:",
    ):  # fmt: skip
        assert part in text, part
    assert "<!channel>" not in text, "a text cannot call the whole channel"
    assert [block["type"] for block in payload["blocks"]] == ["header", *["section"] * 4, "context"]


def test_slack_keeps_to_its_limits_and_a_resolve_is_short():
    long = alert(
        title="x" * 500,
        summary="y" * 9_000,
        examples=[Example(str(n), "z" * 5_000, "o", "social", "") for n in range(3)],
    )
    for event in ("firing", "resolved"):
        for block in message(Notification(event, long, resent=True))["blocks"]:
            if block["type"] == "header":
                assert len(block["text"]["text"]) <= 150
            elif block["type"] == "section":
                assert len(block["text"]["text"]) <= 3_000
    resolved = json.dumps(message(Notification("resolved", long, resent=True)))
    assert "What people write" not in resolved
    assert "sent again" in resolved


def test_receivers_are_those_with_an_address():
    assert [n.name for n in build_notifiers(Settings().alerting)] == ["log"]
    both = Settings(alerting={"webhook_url": URL, "slack_url": URL}).alerting
    assert [n.name for n in build_notifiers(both)] == ["log", "webhook", "slack"]
