"""Raw records: what is accepted, what is refused, and how clearly."""

import json
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.clock import rfc3339
from triage.errors import InvalidRecord
from triage.schemas.event_time import event_time_ms, not_in_future
from triage.schemas.raw import parse_raw


def _parse(**fields):
    return parse_raw(json.dumps(fields, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    ("payload", "reason", "field", "says"),
    [
        (b"\xff\xfehello", "not_utf8", None, "byte 0 is not UTF-8 (0xff)"),
        (b"hello", "not_json", None, "not JSON"),
        (b"", "not_json", None, "not JSON"),
        (b'["a"]', "not_an_object", None, "not a list"),
        (b'"a"', "not_an_object", None, "not a string"),
        (b"{}", "missing_text", "text", "the field text is missing"),
        (b'{"text": null}', "missing_text", "text", "the field text is missing"),
        (b'{"text": 5}', "text_not_string", "text", "not a number"),
        (b'{"text": "  \\n\\t "}', "empty_text", "text", "text is empty"),
        (b'{"text": "\\u0000"}', "empty_text", "text", "text is empty"),
        (b'{"text": "a", "created_at": "yesterday"}', "bad_created_at", "created_at", "'yesterday'"),
        (b'{"text": "a", "created_at": -5}', "bad_created_at", "created_at", "-5"),
        (b'{"text": "a", "created_at": true}', "bad_created_at", "created_at", "True"),
        (
            b'{"text": "a", "created_at": "9999-12-31T23:59:59-12:00"}',
            "bad_created_at",
            "created_at",
            "between 1970 and 9999",
        ),
        (b'{"text": "a", "created_at": %s}' % (b"9" * 400), "bad_created_at", "created_at", "999..."),
        (b'{"text": "a", "rating": %s}' % (b"9" * 400), "bad_rating", "rating", "999..."),
        (b'{"text": "a", "rating": "great"}', "bad_rating", "rating", "'great'"),
        (b'{"text": "a", "brand": {"x": 1}}', "bad_brand", "brand", "not an object"),
        (b'{"text": "a", "attributes": [1]}', "bad_attributes", "attributes", "not a list"),
    ],
)
def test_a_refusal_names_the_field_and_the_value(payload, reason, field, says):
    with pytest.raises(InvalidRecord) as caught:
        parse_raw(payload)
    assert (caught.value.reason, caught.value.field) == (reason, field)
    assert says in str(caught.value)


def test_deep_json_is_refused_not_a_crash():
    for payload in (b'{"text": "a", "x": ' + b'{"y":' * 50 + b"1" + b"}" * 51, b"[" * 100_000):
        with pytest.raises(InvalidRecord):
            parse_raw(payload)


def test_text_is_trimmed_and_cut():
    record = _parse(text="  " + "长" * 25_000 + " ")
    assert len(record.text) == 20_000
    assert record.truncated


def test_emoji_and_right_to_left_text_pass_unchanged():
    text = "😡👨‍👩‍👧 الطرد لم يصل \u202eabc"
    assert _parse(text=text).text == text


def test_unknown_fields_become_attributes_and_are_counted():
    record = _parse(text="a", order={"id": 7, "lines": ["x", "y"]}, vip=True, attributes={"k": 1.5})
    assert record.attributes == {"k": 1.5, "order.id": 7, "order.lines.0": "x", "order.lines.1": "y", "vip": True}
    assert record.unknown_fields == 2


def test_numbers_are_fine_as_ids():
    assert _parse(text="a", id=12345, rating="4").id == "12345"


def test_a_whole_number_with_decimals_is_the_same_id():
    record = _parse(text="a", id=4711.0, author_id=17.0)
    assert (record.id, record.author_id) == ("4711", "17")
    assert parse_raw(b'{"text": "a", "id": 4711.000000}').id == "4711"
    assert _parse(text="a", id=4711.5).id == "4711.5"
    # Here a float may be the neighbour of the number that was meant.
    assert _parse(text="a", id=2.0**53).id == "9007199254740992.0"


def test_debeziums_placeholder_is_no_text():
    with pytest.raises(InvalidRecord, match="REPLICA IDENTITY FULL") as caught:
        _parse(text="__debezium_unavailable_value")
    assert (caught.value.reason, caught.value.field) == ("text_unavailable", "text")
    assert _parse(text="It says __debezium_unavailable_value").text.startswith("It says")
    assert _parse(text="a", rating="4").rating == 4.0


@pytest.mark.parametrize(
    ("given_time", "ms"),
    [
        ("2026-11-22T09:30:00Z", 1_795_339_800_000),
        ("2026-11-22T17:30:00+08:00", 1_795_339_800_000),
        ("2026-11-22 09:30:00", 1_795_339_800_000),
        (1_795_339_800_000, 1_795_339_800_000),
        (None, None),
    ],
)
def test_event_times(given_time, ms):
    assert event_time_ms(given_time) == ms


@pytest.mark.parametrize("edge", ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999", 253_402_300_799_999])
def test_the_last_moment_of_9999_is_a_time(edge):
    assert event_time_ms(edge) == 253_402_300_799_999


@given(st.datetimes(), st.integers(-23 * 60 - 59, 23 * 60 + 59))
def test_any_time_with_any_offset_can_be_written_or_is_refused(moment, offset_minutes):
    zone = timezone(timedelta(minutes=offset_minutes))
    try:
        ms = event_time_ms(moment.replace(tzinfo=zone).isoformat())
    except InvalidRecord:
        return
    assert rfc3339(ms)


@given(st.binary(max_size=200))
def test_any_bytes_are_accepted_or_refused(payload):
    try:
        record = parse_raw(payload)
    except InvalidRecord:
        return
    assert record.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
FIELDS = ["text", "id", "created_at", "rating", "brand", "attributes", "x"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_any_json_object_is_accepted_or_refused(fields):
    try:
        record = parse_raw(json.dumps(fields).encode())
    except InvalidRecord:
        return
    assert 0 < len(record.text) <= 20_000
    assert all(isinstance(value, (str, int, float, bool)) for value in record.attributes.values())


# Limits


def refused(**fields):
    with pytest.raises(InvalidRecord) as caught:
        _parse(**{"text": "a", **fields})
    return str(caught.value)


def test_fields_have_at_most_a_thousand_characters():
    assert len(_parse(text="a", brand="b" * 1_000).brand) == 1_000
    assert "brand has 1001 characters; at most 1000 are allowed" in refused(brand="b" * 1_001)


def test_numbers_become_text_and_nothing_becomes_none():
    record = _parse(text="a", id=7, source="", region=None, rating="", created_at="")
    assert (record.id, record.source, record.region, record.rating, record.created_at) == ("7", None, None, None, "")
    assert _parse(text="a", rating="4.5").rating == 4.5
    assert "rating True is not a number" in refused(rating=True)
    assert "source must be a string, not a boolean" in refused(source=True)
    assert "source must be a string, not a list" in refused(source=[1])


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("Acme", "Acme"),
        (" Acme  Inc ", "Acme Inc"),
        ("Ａｃｍｅ！", "Acme!"),
        ("Ac\u200bme\u00ad", "Acme"),
        ("Cafe\u0301", "Café"),
        ("\u200b", None),
        ("Acme\u3000三", "Acme 三"),
        ("～", "~"),
        ("a\ufeff\u2060\u200f", "a"),
        ("\u202aAcme\u202c\u2066", "Acme"),
    ],
)
def test_names_that_look_alike_are_one_name(given_name, name):
    record = _parse(text="a", brand=given_name, product=given_name, region=given_name, source=given_name)
    assert (record.brand, record.product, record.region) == (name, name, name)
    assert record.source == given_name, "sources stay as they are"


def test_texts_with_markup_may_be_ten_times_as_long():
    plain = json.dumps({"text": "b" * 101}).encode()
    assert (len(parse_raw(plain, max_text_chars=100).text), parse_raw(plain, max_text_chars=100).truncated) == (
        100,
        True,
    )
    assert not parse_raw(plain, max_text_chars=101).truncated
    marked = json.dumps({"text": "<" + "b" * 999}).encode()
    assert (len(parse_raw(marked, max_text_chars=100).text), parse_raw(marked, max_text_chars=100).truncated) == (
        1_000,
        False,
    )
    longer = json.dumps({"text": "<" + "b" * 1_000}).encode()
    assert (len(parse_raw(longer, max_text_chars=100).text), parse_raw(longer, max_text_chars=100).truncated) == (
        1_000,
        True,
    )


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"x": value}
    return value


def test_attributes_are_flat_and_nested_at_most_eight_levels():
    record = _parse(text="a", attributes={"a": {"b": [1, {"c": None, "d": False}]}}, other=[2])
    assert record.attributes == {"a.b.0": 1, "a.b.1.d": False, "other.0": 2}
    assert record.unknown_fields == 1
    assert list(_parse(text="a", attributes=nested(9)).attributes) == [".".join("x" * 9)]
    assert "nested deeper than 8 levels" in refused(attributes=nested(10))
    assert _parse(text="a", attributes={}).attributes == {}


def test_a_long_value_is_shown_cut_to_eighty_characters():
    assert f"created_at '{'x' * 78}' is not a time" in refused(created_at="x" * 78)
    assert f"created_at '{'x' * 76}... is not a time" in refused(created_at="x" * 79)


@pytest.mark.parametrize(
    ("value", "named"), [("null", "null"), ("true", "a boolean"), ("1.5", "a number"), ('"a"', "a string")]
)
def test_what_is_no_object_is_named(value, named):
    with pytest.raises(InvalidRecord, match=f"not {named}$") as caught:
        parse_raw(value.encode())
    assert caught.value.stage == "decode"


def test_a_time_may_be_as_far_ahead_as_allowed_and_no_further():
    assert not_in_future(3_600_000 * 2, 0, 2.0) == 7_200_000
    with pytest.raises(InvalidRecord, match=r"created_at 1970-01-01T02:00:00\.001Z is more than 2 h ahead"):
        not_in_future(7_200_001, 0, 2.0)


def test_epoch_numbers_begin_in_2000_and_written_times_in_1970():
    assert event_time_ms(946_684_800_000) == 946_684_800_000
    assert event_time_ms(946_684_800_001.9) == 946_684_800_001
    assert event_time_ms("1970-01-01T00:00:00Z") == 0
    assert event_time_ms(" 1970-01-01T01:00:00+01:00 ") == 0
    for bad in (-1, 0, 946_684_799_999, float("nan"), "1969-12-31T23:59:59.999Z", [1], {}):
        with pytest.raises(InvalidRecord):
            event_time_ms(bad)
