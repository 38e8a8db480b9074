"""Made-up snapshots and documents for the console's tests."""

import pytest
from records import enriched

from triage.clock import rfc3339
from triage.console.data.snapshot import Counts, IntentCount, Snapshot, TimeSlot
from triage.elastic.search import Hit
from triage.schemas.alert import Alert, Example, Share
from triage.schemas.enriched import Entity, Event, Route

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
HOUR = 3_600_000


@pytest.fixture
def make_record():
    def make(text="Where is my parcel?", at_ms=NOW, sentiment="negative", intent="delivery", entities=(), **fields):
        return enriched(
            text,
            at_ms,
            score={"negative": -0.9, "neutral": 0.0, "positive": 0.9}[sentiment],
            intent=intent,
            event=Event("1", rfc3339(at_ms)),
            entities=[Entity(**entity) for entity in entities],
            route=Route("support", []),
            **fields,
        )

    return make


@pytest.fixture
def make_alert():
    def make(status="firing", started_ms=NOW - 2 * HOUR, ended_ms=None, **fields):
        values = {
            "dedup_key": f"rule/{status}/{started_ms}",
            "rule": "delivery",
            "key": "intent=delivery",
            "dimensions": {"intent": "delivery"},
            "severity": "critical",
            "title": "Delivery complaints spike",
            "summary": "42 negative",
            "window_s": 3600,
            "negative": 40,
            "total": 42,
            "share": 0.95,
            "peak_negative": 41,
            "expected": 0.7,
            "peak_expected": 1.5,
            "top_intents": [Share("delivery", 40)],
            "examples": [Example("1", "Where is <my> parcel?", "delivery", "complaint", rfc3339(NOW))],
        } | fields
        return Alert(
            status=status,
            started_at=rfc3339(started_ms),
            updated_at=rfc3339(NOW),
            ended_at=None if ended_ms is None else rfc3339(ended_ms),
            **values,
        )

    return make


@pytest.fixture
def snapshot(make_record, make_alert):
    return Snapshot(
        at_ms=NOW,
        all_time=Counts(40, 30, 30),
        last_hour=Counts(9, 0, 1),
        last_minute=2,
        dead_letters=3,
        step_ms=HOUR,
        timeline=[TimeSlot(NOW - 3 * HOUR, Counts(1, 2, 3)), TimeSlot(NOW - 2 * HOUR, Counts(9, 0, 1))],
        intents=[
            IntentCount("praise", Counts(0, 1, 50)),
            IntentCount("product_fault", Counts(9, 2, 0)),
            IntentCount("delivery", Counts(12, 1, 0)),
        ],
        open_alerts=[make_alert()],
        resolved_alerts=[make_alert("resolved", NOW - 9 * HOUR, NOW - 2 * HOUR - 1800_000)],
        latest=[Hit("r1", make_record())],
    )
