"""Slack: Block Kit within its limits, against a server that answers as Slack does."""

import json

import pytest
from pages import alert, page

from triage.alerting.links import ActionLink
from triage.alerting.notifiers import Refused, Throttled
from triage.alerting.notifiers.content import compose
from triage.alerting.notifiers.slack import SlackNotifier, message
from triage.alerting.wording import wording_for
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.schemas.alert import Example

ENGLISH = wording_for("en")


def test_slack_says_what_where_since_when_how_much_and_what_to_do():
    payload = message(compose(page(), ENGLISH), ENGLISH)
    text = json.dumps(payload, ensure_ascii=False)
    for part in (
        ":rotating_light: Acme · delivery complaints 4.2× expected", "44 of 48 records (92%)", "▃▂▁▂▂▃",
        "FastShip 31 (usually 8.2)", "Order [ORDER_ID] is stuck at FastShip &lt;!channel&gt;",
        "<https://runbooks.example/delivery|Runbook>", "`triage alerts ack triage-0123", "What to do first",
    ):  # fmt: skip
        assert part in text, part
    assert "<!channel>" not in text, "a text cannot call the whole channel"
    assert [block["type"] for block in payload["blocks"]] == ["header", *["section"] * 7, "context"]


def test_slack_keeps_to_its_limits():
    long = {
        "title": "x" * 500,
        "summary": "y" * 9_000,
        "examples": [Example(str(n), "z" * 5_000, "o", "social", "") for n in range(3)],
        "also": tuple(alert(title="w" * 400) for _ in range(60)),
    }
    for event in ("firing", "acknowledged", "resolved"):
        payload = message(compose(page(event, resent=True, **long), ENGLISH), ENGLISH)
        assert len(payload["blocks"]) <= 50
        for block in payload["blocks"]:
            if block["type"] == "header":
                assert len(block["text"]["text"]) <= 150
            elif block["type"] == "section":
                assert len(block["text"]["text"]) <= 3_000
    assert "sent again" in json.dumps(message(compose(page("resolved", resent=True), ENGLISH), ENGLISH))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, b"invalid_payload"), DependencyError),
        ((403, b"action_prohibited"), AccessDenied),
        ((404, b"no_service"), Refused),
        ((410, b"channel_is_archived"), Refused),
        ((500, b"rollup_error"), Unavailable),
        ((429, b"rate_limited", {"retry-after": "30"}), Throttled),
        (None, Unavailable),
    ],
)
def test_what_slack_refuses(serve, tell, answer, kind):
    server = serve(lambda sent: answer)
    with pytest.raises(kind) as raised:
        tell(SlackNotifier(f"{server.url}/services/T0/B0/secret", 5), page())
    assert type(raised.value) is kind
    assert "secret" not in str(raised.value)


def test_slack_takes_every_event(serve, tell):
    server = serve(lambda sent: (200, b"ok", {"content-type": "text/plain"}))
    tell(SlackNotifier(f"{server.url}/services/x", 5), page(), page("acknowledged"), page("resolved"))
    texts = [json.loads(sent.body)["text"] for sent in server.sent]
    assert [text.split()[0] for text in texts] == [":rotating_light:", ":eyes:", ":white_check_mark:"]
    assert all(sent.headers["content-type"] == "application/json" for sent in server.sent)


def test_links_by_which_readers_act_are_buttons():
    links = [ActionLink("acknowledge", "https://c.example/act/a"), ActionLink("snooze", "https://c.example/act/s")]
    (buttons,) = [b for b in message(compose(page(), ENGLISH, links), ENGLISH)["blocks"] if b["type"] == "actions"]
    assert [(one["text"]["text"], one["url"]) for one in buttons["elements"]] == [
        ("Acknowledge", "https://c.example/act/a"), ("Snooze 1 h", "https://c.example/act/s")
    ]  # fmt: skip
    assert all(one["type"] == "button" for one in buttons["elements"])
