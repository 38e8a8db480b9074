"""Event times against the broker's: a zone for bare times, and a flag for what is ahead of its arrival."""

import json

import pytest
from worker_rig import NOW, TOPIC, Rig

from triage.config import load_settings
from triage.errors import ConfigError

HOUR_MS = 3_600_000


def _published(created_at, **flags):
    rig = Rig(**flags)
    payload = {"text": "It never arrived", "source": "jd", "created_at": created_at}
    rig.source.append(TOPIC, json.dumps(payload).encode(), timestamp_ms=NOW)
    rig.run()
    (record,) = rig.produced("enriched")
    (count,) = rig.counts()
    return record, count, rig.metrics.times_implausible.labels("complaint")._value.get()


def test_a_time_ahead_of_its_arrival_is_flagged_and_counts_as_it_arrived():
    record, count, counted = _published(NOW + 8 * HOUR_MS)
    assert "time_implausible" in record["flags"]
    assert record["@timestamp"] == "2026-11-22T17:30:00.000Z"
    assert count.window_start_ms == NOW
    assert counted == 1


@pytest.mark.parametrize(
    ("ahead_ms", "flags"), [(300_000, {}), (8 * HOUR_MS, {"worker.max_ahead_s": 0}), (-HOUR_MS, {})]
)
def test_a_few_minutes_are_the_clocks_difference(ahead_ms, flags):
    record, _, counted = _published(NOW + ahead_ms, **flags)
    assert "time_implausible" not in record["flags"]
    assert counted == 0


@pytest.mark.parametrize("key", ["jd", "complaint", "complaint/jd"])
def test_bare_times_are_in_the_zone_of_their_source(key):
    record, _, _ = _published("2026-11-22 17:30", **{"worker.time_zones": {key: "Asia/Shanghai"}})
    assert record["@timestamp"] == "2026-11-22T09:30:00.000Z"


def test_the_most_specific_zone_wins():
    zones = {"complaint": "Asia/Tokyo", "jd": "Asia/Shanghai", "complaint/jd": "Europe/Berlin"}
    worker = load_settings(None, {"worker.time_zones": zones}).worker
    assert str(worker.zone_of("complaint", "jd")) == "Europe/Berlin"
    assert str(worker.zone_of("review", "jd")) == "Asia/Shanghai"
    assert str(worker.zone_of("complaint", None)) == "Asia/Tokyo"
    assert worker.zone_of("review", "shop") is None


def test_a_wrong_zone_is_named_at_the_start():
    with pytest.raises(ConfigError, match="'Asia/Shangai' is not a time zone"):
        load_settings(None, {"worker.time_zones": {"jd": "Asia/Shangai"}})
