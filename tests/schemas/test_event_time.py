"""Forms of times: one reading is taken, two are refused, and a unit that is wrong is named."""

import pytest

from triage.clock import rfc3339, zone_named
from triage.errors import InvalidRecord
from triage.schemas.event_time import TimeForm, check_time_format, event_time_ms

HALF_PAST_NINE = "2026-11-22T09:30:00.000Z"


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22t09:30:00z",
        "2026-11-22T09:30:00.000000000Z",
        "2026-11-22 09:30:00 UTC",
        "2026-11-22 09:30:00 +0000",
        "2026-11-22 9:30",
        "2026/11/22 09:30",
        "2026/11/22 上午 09:30:00",
        "2026.11.22 09:30",
        "２０２６／１１／２２　０９：３０",
        "2026年11月22日 09:30",
        "2026年11月22日 星期日 9时30分",
        "Sun, 22 Nov 2026 09:30:00 +0000",
        "Sun Nov 22 09:30:00 +0000 2026",
        "Sun Nov 22 09:30:00 UTC 2026",
        "Sun Nov 22 2026 09:30:00 GMT+0000 (Coordinated Universal Time)",
        "Nov 22, 2026 09:30",
        "November 22, 2026 at 9:30 AM",
        "22/Nov/26 9:30 AM",
        "22. November 2026 um 09:30",
        "22 novembre 2026 à 09:30",
        "22.11.2026 09:30",
        "11/22/2026 9:30 AM",
        "202611220930",
        "20261122093000",
        "1795339800000",
        "1795339800000.0",
        "2026-11-22T17:30:00+08:00[Asia/Shanghai]",
        "2026-11-22 17:30 Asia/Shanghai",
        "2026-11-22 17:30:00.000 +0800 CST",
        "Nov 22, 2026 1:30:00 AM PST",
        "\u200b2026-11-22\u00a009:30\u00a0",
    ],
)
def test_forms_with_one_reading(written):
    assert rfc3339(event_time_ms(written)) == HALF_PAST_NINE


@pytest.mark.parametrize("written", ["", " ", "NULL", "n/a", "None", "NaN", "-", "无", "0000-00-00 00:00:00", "\\N"])
def test_nothing_is_no_time(written):
    assert event_time_ms(written) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (1_795_339_800, "created_at 1795339800 looks like epoch seconds; multiply by 1000 or use --time-format"),
        ("1795339800", "looks like epoch seconds"),
        (1_795_339_800.5, "looks like epoch seconds"),
        (202_611_251_403, "is before the year 2000 as epoch milliseconds"),
        (0, "is before the year 2000"),
        ("46348.39583", "is before the year 2000"),
        ("03/04/2026", "can be 3 April or 4 March; send RFC 3339, or name the form: --time-format '%d/%m/%Y' or"),
        ("11/12/26", "has several readings"),
        ("22/11/26", "has several readings"),
        ("Nov 22, 2026 9:30 AM CST", "ends in 'CST', which is not one time zone"),
        ("2026-13-45", "'2026-13-45' is not a time between 1970 and 9999"),
        ("31.02.2026", "is not a time"),
        ("yesterday", "is not a time"),
        ("2026-11-22 " * 50, "is not a time"),
        (True, "is not a time"),
        ([], "is not a time"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(given, said):
    with pytest.raises(InvalidRecord) as caught:
        event_time_ms(given)
    assert caught.value.field == "created_at"
    assert said in str(caught.value)


def test_a_bare_time_is_in_the_zone_and_an_offset_wins():
    shanghai = zone_named("Asia/Shanghai")
    assert rfc3339(event_time_ms("2026/11/22 17:30", shanghai)) == HALF_PAST_NINE
    assert rfc3339(event_time_ms("2026-11-22T09:30:00Z", shanghai)) == HALF_PAST_NINE
    assert rfc3339(event_time_ms("Nov 22, 2026 17:30 CST", shanghai)) == HALF_PAST_NINE


def test_a_named_form_is_read_and_others_are_refused():
    form = TimeForm(zone_named("Europe/Berlin"), ("%d/%m/%Y %H:%M",))
    assert rfc3339(form.event_time_ms("03/04/2026 09:30")) == "2026-04-03T07:30:00.000Z"
    assert form.event_time_ms("N/A") is None
    with pytest.raises(InvalidRecord, match=r"is not in the form %d/%m/%Y %H:%M that --time-format names"):
        form.event_time_ms("2026-04-03")


@pytest.mark.parametrize("given", [1_795_339_800, "1795339800", 1_795_339_800.0])
def test_epoch_seconds_by_name(given):
    assert rfc3339(TimeForm(formats=("epoch_s",)).event_time_ms(given)) == HALF_PAST_NINE
    with pytest.raises(InvalidRecord, match="is not a time between 1970 and 9999 as epoch milliseconds"):
        TimeForm(formats=("epoch_s",)).event_time_ms(1_795_339_800_000)


@pytest.mark.parametrize("name", ["abc", "%H:%M", "%Q"])
def test_a_wrong_form_is_named(name):
    with pytest.raises(ValueError, match=name):
        check_time_format(name)


def test_a_wrong_zone_is_named():
    with pytest.raises(ValueError, match="'Asia/Shangai' is not a time zone"):
        zone_named("Asia/Shangai")


@pytest.mark.parametrize(
    "number",
    [1_795_339_800_000_000, 1_795_339_800_000_999, "1795339800000000", 1_795_339_800_000_000_000, 1.7953398e18],
)
def test_microseconds_and_nanoseconds_have_no_other_reading(number):
    assert rfc3339(event_time_ms(number)) == HALF_PAST_NINE


@pytest.mark.parametrize("number", [946_684_799_999_999, 4_102_444_800_000_000, 946_684_799_999_999_999, 2**63])
def test_finer_units_are_read_from_2000_to_2100(number):
    with pytest.raises(InvalidRecord, match="is not a time between 1970 and 9999"):
        event_time_ms(number)


def test_a_named_unit_is_not_guessed_again():
    with pytest.raises(InvalidRecord):
        TimeForm(None, ("epoch_ms",)).event_time_ms(1_795_339_800_000_000)
