"""Ticks of time axes: the reader's hours, days and months."""

import pytest

from triage.clock import rfc3339, to_ms
from triage.console.web.time_axis import ticks, time_axis
from triage.translations import translations_for

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
HOUR = 3_600_000
DAY = 24 * HOUR


def _ticks(span_ms, zone, language="en", end_ms=NOW):
    return ticks(end_ms - span_ms, end_ms, translations_for(language, zone))


def test_days_begin_at_the_readers_midnight():
    found = _ticks(4 * DAY, "Asia/Shanghai")
    days = {name: rfc3339(ms)[11:16] for ms, name in found.items() if ":" not in name}
    assert days == {"Nov 19": "16:00", "Nov 20": "16:00", "Nov 21": "16:00", "Nov 22": "16:00"}
    assert {name for name in found.values() if ":" in name} == {"12:00"}
    assert "11月20日" in _ticks(4 * DAY, "Asia/Shanghai", "zh").values()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"])
@pytest.mark.parametrize("span_ms", [HOUR // 2, HOUR, 6 * HOUR, DAY, 3 * DAY, 8 * DAY, 40 * DAY, 400 * DAY, 9000 * DAY])
def test_every_span_has_a_few_named_ticks_in_order(zone, span_ms):
    found = _ticks(span_ms, zone)
    assert 1 <= len(found) <= 11
    assert list(found) == sorted(found)
    assert all(NOW - span_ms <= ms <= NOW for ms in found)
    assert all(found.values())


def test_where_clocks_change_the_hours_stay_those_of_the_clock():
    # New York goes back at 06:00 UTC of 2026-11-01.
    end_ms = to_ms_of("2026-11-02T05:00:00+00:00")
    found = _ticks(2 * DAY, "America/New_York", end_ms=end_ms)
    assert {name: rfc3339(ms)[5:16] for ms, name in found.items() if name in {"Nov 1", "Nov 2"}} == {
        "Nov 1": "11-01T04:00", "Nov 2": "11-02T05:00"
    }  # fmt: skip


def to_ms_of(text):
    from datetime import datetime

    return to_ms(datetime.fromisoformat(text))


def test_years_stand_where_they_begin():
    names = list(_ticks(400 * DAY, "UTC").values())
    assert "2026" in names
    assert "Mar" in names or "Apr" in names


def test_the_pointer_names_the_readers_time_and_utc():
    axis = time_axis(translations_for("en", "Asia/Shanghai"), NOW - DAY, NOW)
    formatter = axis["axisPointer"]["label"][":formatter"]
    assert '"timeZone": "Asia/Shanghai"' in formatter
    assert formatter.endswith("+ ' UTC'")
    assert axis["axisLabel"]["customValues"] == axis["splitLine"]["customValues"]
    assert "customValues" not in time_axis(translations_for("en"), 0, 0)["axisLabel"]
