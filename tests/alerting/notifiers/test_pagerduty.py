"""PagerDuty Events v2, against a server with its checks and its incidents."""

import json

import pytest
from pages import alert, page

from triage.alerting.notifiers import Refused, Throttled
from triage.alerting.notifiers.pagerduty import PagerDutyNotifier
from triage.errors import Unavailable

KEY = "r" * 32


class Events:
    """Accepts what the real one accepts; `incidents` by dedup key."""

    def __init__(self):
        self.incidents = {}
        self.triggers = []

    def __call__(self, sent):
        if sent.path != "/v2/enqueue":
            return 404, b"not found"
        body = json.loads(sent.body)
        errors = self.errors(body)
        if errors:
            return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": errors}
        key, action = body["dedup_key"], body["event_action"]
        if action == "trigger":
            self.triggers.append(body)
            if self.incidents.get(key, "resolved") == "resolved":
                self.incidents[key] = "triggered"
        elif key in self.incidents:
            self.incidents[key] = f"{action}d"
        return 202, {"status": "success", "message": "Event processed", "dedup_key": key}

    @staticmethod
    def errors(body):
        found = []
        if len(body.get("routing_key", "")) != 32:
            found.append("'routing_key' is invalid")
        if body.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
            found.append("'event_action' is invalid")
        if not 0 < len(body.get("dedup_key", "")) <= 255:
            found.append("'dedup_key' is too long")
        if body.get("event_action") == "trigger":
            payload = body.get("payload", {})
            found += [
                f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not payload.get(name)
            ]
            if payload.get("severity") not in {"critical", "error", "warning", "info"}:
                found.append("'payload.severity' is invalid")
            if len(payload.get("summary", "")) > 1024:
                found.append("'payload.summary' is too long")
            found += ["'links' need href" for link in body.get("links", []) if not link.get("href")]
        return found


def notifier(server, key=KEY):
    return PagerDutyNotifier(f"{server.url}/v2/enqueue", key, 5)


def test_one_incident_from_trigger_over_acknowledge_to_resolve(serve, tell):
    events = Events()
    pager = notifier(serve(events))
    tell(pager, page(), page(resent=True), page(repeat=True))
    assert events.incidents == {alert().dedup_key: "triggered"}
    tell(notifier(serve(events)), page("acknowledged"))
    assert events.incidents == {alert().dedup_key: "acknowledged"}
    tell(notifier(serve(events)), page("resolved"))
    assert events.incidents == {alert().dedup_key: "resolved"}


def test_the_trigger_says_everything(serve, tell):
    events = Events()
    tell(notifier(serve(events)), page())
    (body,) = events.triggers
    assert body["payload"]["summary"] == alert().title
    assert (body["payload"]["severity"], body["payload"]["class"]) == ("critical", "intent-negative-spike")
    assert (body["payload"]["component"], body["payload"]["group"]) == ("delivery", "Acme")
    assert body["client_url"] == alert().console_url
    assert [link["text"] for link in body["links"]] == ["Runbook", "Console", "Kibana"]
    details = body["payload"]["custom_details"]
    assert (details["negative"], details["total"], details["expected"]) == (44, 48, 10.5)
    assert "█" in details["Negative records"]
    assert details["Named more than usual"][0] == "FastShip 31 (usually 8.2)"
    assert details["I take care of it"].startswith("triage alerts ack ")
    assert len(json.dumps(body)) < 100_000


@pytest.mark.parametrize(
    "changes", [{"severity": "odd"}, {"dedup_key": "k" * 400}, {"title": "t" * 2_000}, {"key": ""}]
)
def test_it_keeps_to_what_pagerduty_takes(serve, tell, changes):
    events = Events()
    tell(notifier(serve(events)), page(**changes))
    assert len(events.triggers) == 1


def test_a_wrong_key_can_be_mended_and_is_not_in_the_error(serve, tell):
    with pytest.raises(Refused, match="routing_key' is invalid") as raised:
        tell(notifier(serve(Events()), "hidden-key"), page())
    assert not raised.value.retriable
    assert "hidden-key" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind"), [((429, b"", {"retry-after": "12"}), Throttled), ((503, b""), Unavailable), (None, Unavailable)]
)
def test_what_another_attempt_can_mend(serve, tell, answer, kind):
    with pytest.raises(kind):
        tell(notifier(serve(lambda sent: answer)), page())
