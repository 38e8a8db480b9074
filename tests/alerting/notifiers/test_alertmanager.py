"""Alertmanager v2, against a server that keeps alerts by their labels and ends them by their end, as the real one."""

import json

import pytest
from pages import alert, page

from triage.alerting.notifiers.alertmanager import AlertmanagerNotifier, labels
from triage.clock import ManualClock, parse_rfc3339
from triage.errors import AccessDenied, DependencyError, Unavailable

NOW = parse_rfc3339("2026-11-22T11:30:00Z")


def ms(moment):
    return parse_rfc3339(moment)


class Alertmanager:
    """`POST /api/v2/alerts`: 400 for a bad interval or label, else the newest word on each set of labels."""

    def __init__(self):
        self.alerts = {}
        self.authorizations = []

    def __call__(self, sent):
        if (sent.method, sent.path) != ("POST", "/api/v2/alerts"):
            return 404, b""
        self.authorizations.append(sent.headers.get("authorization"))
        for one in json.loads(sent.body):
            if "endsAt" in one and ms(one["endsAt"]) < ms(one["startsAt"]):
                return 400, b'"start time must be before end time"'
            if any(not value or not name.isidentifier() for name, value in one["labels"].items()):
                return 400, b'"invalid label set"'
            self.alerts[tuple(sorted(one["labels"].items()))] = one
        return 200, {}

    def active(self, now_ms):
        return [one for one in self.alerts.values() if ms(one["endsAt"]) > now_ms]


def notifier(*servers, clock=None, **options):
    return AlertmanagerNotifier([server.url for server in servers], 5, clock=clock or ManualClock(NOW), **options)


def test_the_resolve_ends_what_the_page_began(serve, tell):
    manager = Alertmanager()
    tell(notifier(serve(manager)), page())
    (active,) = manager.active(NOW)
    assert active["labels"] == {
        "alertname": "intent-negative-spike", "brand": "Acme", "intent": "delivery", "severity": "critical",
        "dedup_key": alert().dedup_key,
    }  # fmt: skip
    assert active["annotations"]["summary"] == alert().title
    assert active["annotations"]["runbook_url"] == "https://runbooks.example/delivery"
    assert active["generatorURL"] == alert().console_url
    assert active["startsAt"] == "2026-11-22T10:05:00.000Z"
    tell(notifier(serve(manager)), page("resolved", title="another title", negative=0))
    assert len(manager.alerts) == 1, "numbers and titles are no part of its identity"
    assert manager.active(NOW) == []
    (over,) = manager.alerts.values()
    assert over["endsAt"] == "2026-11-22T11:15:00.000Z"


@pytest.mark.parametrize("resend_s", [5, 60, 600, 3600])
def test_it_outlives_its_next_resend_even_if_two_are_missed(serve, tell, resend_s):
    manager = Alertmanager()
    tell(notifier(serve(manager), resend_s=resend_s), page())
    assert manager.active(NOW + 3 * resend_s * 1000)
    assert manager.active(NOW + 240_000), "over the restart of an alerter too"


def test_sent_again_its_end_moves(serve, tell):
    manager, clock = Alertmanager(), ManualClock(NOW)
    url = serve(manager)
    for _ in range(30):
        tell(notifier(url, clock=clock), page())
        clock.advance(60)
        assert manager.active(clock.now_ms())
    clock.advance(3600)
    assert manager.active(clock.now_ms()) == [], "an alert that is not sent again ends"


def test_times_ahead_of_its_clock_are_not_refused(serve, tell):
    manager = Alertmanager()
    simulated = {"started_at": "2027-01-01T00:00:00.000Z", "ended_at": "2027-01-01T01:00:00.000Z"}
    tell(notifier(serve(manager)), page(**simulated), page("resolved", **simulated))
    assert manager.active(NOW) == []


def test_each_alert_of_a_page_is_one_of_its_own(serve, tell):
    manager = Alertmanager()
    other = alert(dimensions={"brand": "Acme", "region": "eu"}, dedup_key="triage-2")
    over = alert("resolved", dimensions={"brand": "Acme", "region": "us"}, dedup_key="triage-3")
    tell(notifier(serve(manager)), page(also=(other, over)))
    assert len(manager.alerts) == 3
    assert {one["labels"]["dedup_key"] for one in manager.active(NOW)} == {alert().dedup_key, "triage-2"}


def test_one_of_a_cluster_is_enough_and_all_are_notified(serve, tell):
    first, last = Alertmanager(), Alertmanager()
    tell(notifier(serve(first), serve(lambda sent: (503, b"")), serve(last), token="t0ken"), page())
    assert first.active(NOW)
    assert last.active(NOW)
    assert first.authorizations == ["Bearer t0ken"]


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([(503, b""), (400, b"no")], Unavailable),
        ([(400, b"no"), (400, b"no")], DependencyError),
        ([(401, b"")], AccessDenied),
        ([None], Unavailable),
    ],
)
def test_if_none_accepts_it_the_error_is_retriable_if_any_is(serve, tell, answers, kind):
    servers = [serve(lambda sent, answer=answer: answer) for answer in answers]
    with pytest.raises(kind) as raised:
        tell(notifier(*servers), page())
    assert type(raised.value) is kind


def test_a_records_severity_is_not_the_alerts():
    found = labels(alert(dimensions={"severity": "high", "queue": ""}))
    assert (found["severity"], found["record_severity"]) == ("critical", "high")
    assert "queue" not in found, "Alertmanager refuses empty labels"
