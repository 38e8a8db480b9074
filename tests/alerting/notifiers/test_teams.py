"""Microsoft Teams: an Adaptive Card within its limits, against a server that answers as a workflow does."""

import json

import pytest
from pages import alert, page

from triage.alerting.links import ActionLink
from triage.alerting.notifiers import Refused, Throttled
from triage.alerting.notifiers.content import compose
from triage.alerting.notifiers.teams import TeamsNotifier, encoded
from triage.alerting.wording import wording_for
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.schemas.alert import Example

ENGLISH = wording_for("en")
LIMIT = 28 * 1024
EVENTS = ("firing", "acknowledged", "resolved")


def card(notification, wording=ENGLISH):
    """The Adaptive Card, out of the envelope that a workflow takes."""
    message = json.loads(encoded(compose(notification, wording), wording))
    (attachment,) = message["attachments"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    return attachment["content"]


def elements(found):
    for element in found["body"]:
        yield from element.get("items", [element])


def texts(found):
    return ["".join(run["text"] for run in element["inlines"]) for element in elements(found)]


def test_a_card_says_what_where_since_when_how_much_and_what_to_do():
    found = card(page())
    said = "\n".join(texts(found))
    for part in (
        "Acme · delivery complaints 4.2× expected", "44 of 48 records (92%)", "▃▂▁▂▂▃", "FastShip 31 (usually 8.2)",
        "What to do first:", "Order [ORDER_ID] is stuck at FastShip <!channel>", "triage alerts ack triage-0123",
    ):  # fmt: skip
        assert part in said, part
    assert found["fallbackText"].startswith("Acme · delivery complaints")
    assert [(action["title"], action["url"].split("/")[2]) for action in found["actions"]] == [
        ("Runbook", "runbooks.example"), ("Console", "console.example"), ("Kibana", "kibana.example"),
    ]  # fmt: skip


def test_what_customers_wrote_is_shown_as_it_is():
    """Text runs know no Markdown and no mention; in a text block `[click](...)` would be a link."""
    found = card(page())
    assert {element["type"] for element in elements(found)} == {"RichTextBlock"}
    assert {run["type"] for element in elements(found) for run in element["inlines"]} == {"TextRun"}
    assert any("[click](https://phish.example)" in text for text in texts(found))
    assert "entities" not in found["msteams"]


@pytest.mark.parametrize(
    ("event", "severity", "style"),
    [
        ("firing", "critical", "attention"),
        ("firing", "warning", "warning"),
        ("firing", "info", "accent"),
        ("acknowledged", "critical", "emphasis"),
        ("resolved", "critical", "good"),
    ],
)
def test_colour_tells_event_and_severity(event, severity, style):
    assert card(page(event, severity=severity))["body"][0]["style"] == style


@pytest.mark.parametrize("event", EVENTS)
def test_a_long_page_loses_its_least_useful_parts_first(event):
    long = {
        "title": "题" * 500,
        "summary": "述" * 9_000,
        "examples": [Example(str(n), "例" * 5_000, "o", "social", "") for n in range(3)],
        "also": tuple(alert(title="警" * 900) for _ in range(60)),
    }
    body = encoded(compose(page(event, resent=True, **long), ENGLISH), ENGLISH)
    assert len(body) <= LIMIT
    said = body.decode()
    assert "sent again" in said
    assert said.count("警" * 900) == 0
    for part in ("What to do first:", "What people write:"):
        assert (part in said) == (event == "firing"), part


def test_a_page_of_usual_length_is_whole():
    said = texts(card(page(also=tuple(alert(title=f"alert {number}") for number in range(10)))))
    assert "alert 9" in said
    assert any(text.startswith("Five days late") for text in said)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, b'{"error":{"code":"TriggerInputSchemaMismatch"}}'), DependencyError),
        ((401, b'{"error":{"code":"DirectApiAuthorizationRequired"}}'), AccessDenied),
        ((404, b'{"error":{"code":"WorkflowNotFound"}}'), Refused),
        ((502, b'{"error":{"code":"NoResponse"}}'), Unavailable),
        ((429, b"", {"retry-after": "30"}), Throttled),
        (None, Unavailable),
    ],
)
def test_what_a_workflow_refuses(serve, tell, answer, kind):
    server = serve(lambda sent: answer)
    with pytest.raises(kind) as raised:
        tell(TeamsNotifier(f"{server.url}/workflows/1/triggers/manual/paths/invoke?sig=secret", 5), page())
    assert type(raised.value) is kind
    assert "sig=secret" not in str(raised.value)


def test_a_workflow_takes_every_event(serve, tell):
    server = serve(lambda sent: (202, b""))
    url = f"{server.url}/workflows/1/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sig=x"
    tell(TeamsNotifier(url, 5, wording=wording_for("zh")), *map(page, EVENTS))
    assert len(server.sent) == 3
    assert all(sent.headers["content-type"] == "application/json" for sent in server.sent)
    assert {sent.path for sent in server.sent} == {url.removeprefix(server.url)}


def test_links_by_which_readers_act_are_in_a_set_of_their_own():
    links = [ActionLink("acknowledge", "https://c.example/act/a")]
    body = json.loads(encoded(compose(page(), ENGLISH, links), ENGLISH))["attachments"][0]["content"]["body"]
    (buttons,) = [part for part in body if part["type"] == "ActionSet"]
    assert buttons["actions"] == [
        {"type": "Action.OpenUrl", "title": "Acknowledge", "url": "https://c.example/act/a"}
    ]  # fmt: skip
