"""Event time: the record's own, else the broker's; a far future is refused, and says so."""

import json

import pytest

from triage.config import load_settings
from triage.errors import InvalidRecord
from triage.pipeline.stages.decode import event_time_of
from triage.schemas.raw import parse_raw


def _raw(**fields):
    return parse_raw(json.dumps({"text": "a", **fields}).encode())


def test_the_brokers_time_stands_in(clock):
    assert event_time_of(_raw(), clock, 24, default_ms=77) == 77
    assert event_time_of(_raw(created_at=946_684_800_000), clock, 24, default_ms=77) == 946_684_800_000


def test_a_day_ahead_is_the_limit(clock):
    day_ms = 86_400_000
    limit_ms = clock.now_ms() + day_ms
    assert event_time_of(_raw(created_at=limit_ms), clock, 24, default_ms=0) == limit_ms
    with pytest.raises(InvalidRecord) as caught:
        event_time_of(_raw(created_at="2030-01-01T00:00:00Z"), clock, 24, default_ms=0)
    assert caught.value.reason == "created_at_in_future"
    assert "2030-01-01T00:00:00.000Z is more than 24 h ahead of the clock" in str(caught.value)
    assert "(2026-11-22T09:30:00.000Z)" in str(caught.value)


def test_the_limit_is_a_setting():
    assert load_settings(None, {"worker.max_future_hours": 1}).worker.max_future_hours == 1
