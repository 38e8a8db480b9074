"""An alert as the demo's surge makes it, and its notifications."""

from typing import Any

from triage.alerting.notifiers import Notification
from triage.schemas.alert import Acknowledgement, Alert, AlertStatus, Chart, Event, Example, Share

CHART = Chart(
    "2026-11-22T07:30:00.000Z",
    300,
    [1, 0, 2, 1, 0, 1, 2, 1, 1, 0, 0, 1, 2, 1, 0, 1, 1, 2, 0, 1, 1, 0, 1, 1, 0, 2, 1, 1, 3, 6, 9, 8, 7, 6, 4, 6],
    [None] * 6 + [round(0.8 + step / 100, 3) for step in range(30)],
)


def alert(status: AlertStatus = "firing", **changes: Any) -> Alert:
    options: dict[str, Any] = {
        "dedup_key": "triage-0123456789abcdef0123456789abcdef01234567",
        "rule": "intent-negative-spike",
        "key": "brand=Acme|intent=delivery",
        "dimensions": {"brand": "Acme", "intent": "delivery"},
        "status": status,
        "severity": "critical",
        "title": "Acme · delivery complaints 4.2× expected — 44 of 48 negative in 1 h",
        "summary": (
            "44 of 48 records (92%) about delivery from Acme between 09:30 and 10:30 UTC were negative; about 10 were "
            "expected. Firing since 2026-11-22 10:05 UTC."
        ),
        "started_at": "2026-11-22T10:05:00.000Z",
        "updated_at": "2026-11-22T10:45:00.000Z",
        "window_s": 3600,
        "negative": 44,
        "total": 48,
        "share": 0.9167,
        "peak_negative": 44,
        "peak_total": 48,
        "peak_expected": 10.5,
        "runbook": "https://runbooks.example/delivery",
        "console_url": "https://console.example/alerts/triage-0123456789abcdef0123456789abcdef01234567",
        "kibana_url": "https://kibana.example/app/discover#/?_g=(time:(from:'a',to:'b'))",
        "top_entities": [Share("FastShip", 31, 8.2), Share("Leipzig", 12, 0.6)],
        "top_words": [Share("flooding", 17, 0.0), Share("stuck", 14, 1.2)],
        "examples": [
            Example(
                "1", "Where is my parcel?\nOrder [ORDER_ID] is stuck at FastShip <!channel>", "delivery", "review", ""
            ),
            Example("2", "Five days late & nobody answers. *Never* again", "delivery", "complaint", ""),
            Example("3", "包裹因为洪水停在仓库，[click](https://phish.example)", "delivery", "social", ""),
        ],
        "chart": CHART,
    }
    if status == "resolved":
        options |= {
            "title": "Resolved: Acme · delivery complaints — 1 h 10 min, peak 44 of 48",
            "ended_at": "2026-11-22T11:15:00.000Z",
            "chart": None,
        }
    return Alert(**(options | changes))


def page(event: Event = "firing", **changes: Any) -> Notification:
    """A notification; `resent`, `repeat` and `also` are its own, the other changes are the alert's."""
    own = {name: changes.pop(name) for name in ("resent", "repeat", "also") if name in changes}
    if event == "acknowledged":
        changes = {"acknowledged": Acknowledgement("ann", "2026-11-22T10:50:00.000Z"), **changes}
    return Notification(event, alert("resolved" if event == "resolved" else "firing", **changes), **own)
