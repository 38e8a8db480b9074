"""Times by a zone's clock, with UTC beside them."""

import pytest

from triage.clock import zone_named
from triage.translations import between_in, moment_in, offset_name, translations_for

NOW = 1_795_339_800_000  # 2026-11-22T09:30:00Z
JULY = 1_783_330_200_000  # 2026-07-06T09:30:00Z
HOUR = 3_600_000


@pytest.mark.parametrize(("zone", "ms", "moment", "name"), [
    ("UTC", NOW, "2026-11-22 09:30 UTC", "UTC"),
    ("Asia/Shanghai", NOW, "2026-11-22 17:30 UTC+8 (09:30 UTC)", "UTC+8"),
    ("Asia/Shanghai", NOW + 8 * HOUR, "2026-11-23 01:30 UTC+8 (2026-11-22 17:30 UTC)", "UTC+8"),
    ("Asia/Kolkata", NOW, "2026-11-22 15:00 UTC+5:30 (09:30 UTC)", "UTC+5:30"),
    ("America/St_Johns", NOW, "2026-11-22 06:00 UTC-3:30 (09:30 UTC)", "UTC-3:30"),
    ("America/St_Johns", NOW - 8 * HOUR, "2026-11-21 22:00 UTC-3:30 (2026-11-22 01:30 UTC)", "UTC-3:30"),
    ("Europe/London", NOW, "2026-11-22 09:30 UTC", "UTC"),
    ("Europe/London", JULY, "2026-07-06 10:30 UTC+1 (09:30 UTC)", "UTC+1"),
])  # fmt: skip
def test_a_moment_has_both_and_says_which_is_which(zone, ms, moment, name):
    assert moment_in(ms, zone_named(zone)) == moment
    assert offset_name(ms, zone_named(zone)) == name


def test_both_ends_of_a_window():
    assert between_in(NOW - HOUR, NOW, zone_named("UTC")) == ("08:30", "09:30 UTC")
    assert between_in(NOW - HOUR, NOW, zone_named("Asia/Shanghai")) == ("16:30", "17:30 UTC+8 (08:30–09:30 UTC)")


def test_a_short_time_is_dated_by_the_readers_day():
    shanghai, chinese = translations_for("en", "Asia/Shanghai"), translations_for("zh", "Asia/Shanghai")
    late = NOW - 10 * HOUR  # 23:30 of the day before in UTC, 07:30 of the same day in Shanghai
    assert (shanghai.when(late, NOW), shanghai.utc(late)) == ("07:30", "Nov 21, 23:30 UTC")
    assert (chinese.when(NOW, NOW), chinese.utc(NOW)) == ("17:30", "09:30 UTC")
    assert shanghai.when_and_utc(NOW - 30 * HOUR, NOW) == "Nov 21, 11:30 (03:30 UTC)"
    assert (translations_for("en").when_and_utc(NOW, NOW), translations_for("en").utc(NOW)) == ("09:30", "")
    assert shanghai.zone_name(NOW) == "Asia/Shanghai (UTC+8)"
    assert translations_for("en", "America/New_York").zone_name(NOW) == "America/New York (UTC-5)"
    assert translations_for("en").zone_name(NOW) == "UTC"


def test_what_is_not_a_zone_is_an_error():
    with pytest.raises(ValueError, match="'Moon/Crater' is not a time zone"):
        translations_for("en", "Moon/Crater")
