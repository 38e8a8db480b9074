"""Clocks."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.clock import ManualClock, ScaledClock, SystemClock, from_ms, parse_rfc3339, rfc3339, to_ms


@given(st.integers(0, 253_402_300_799_999))
def test_milliseconds_round_trip(ms):
    assert to_ms(from_ms(ms)) == ms


def test_rfc3339():
    assert rfc3339(1_795_339_800_000) == "2026-11-22T09:30:00.000Z"


def test_a_manual_clock_moves_only_by_its_methods():
    clock = ManualClock(1000)
    clock.sleep(2)
    assert (clock.now_ms(), clock.monotonic()) == (3000, 2)


def test_a_scaled_clock_runs_fast_and_stops_at_its_end():
    now = datetime.now(UTC)
    origin = now - timedelta(days=3)
    running = ScaledClock(origin, now - timedelta(seconds=10), 3600)
    shown_ms, passed = running.now_ms(), datetime.now(UTC) - now
    reached = origin + timedelta(hours=10)
    assert to_ms(reached) - 5_000 <= shown_ms <= to_ms(reached + 3600 * passed) + 5_000
    ended = ScaledClock(origin, now - timedelta(seconds=100), 3600, until=reached)
    shown_ms, passed = ended.now_ms(), datetime.now(UTC) - now
    assert to_ms(reached + timedelta(seconds=90)) - 5 <= shown_ms <= to_ms(reached + timedelta(seconds=90) + passed) + 5


def test_the_system_clock_is_now():
    before = datetime.now(UTC)
    assert to_ms(before) - 1 <= SystemClock().now_ms() <= to_ms(datetime.now(UTC)) + 1


def test_a_time_without_an_offset_is_no_rfc3339():
    assert parse_rfc3339("2026-11-22T09:30:00.000Z") == parse_rfc3339("2026-11-22T17:30:00+08:00") == 1_795_339_800_000
    for text in ("2026-11-22T09:30:00", "2026-11-22", "yesterday"):
        with pytest.raises(ValueError, match=r"offset|Invalid"):
            parse_rfc3339(text)
