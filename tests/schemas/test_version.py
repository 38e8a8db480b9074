"""Versions of documents: ordered as the source orders them, above every broker's timestamp, within 64 bits."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.clock import YEAR_10000_MS
from triage.errors import InvalidRecord
from triage.schemas.json_schema import record_schema
from triage.schemas.raw import parse_raw, validate_raw
from triage.schemas.version import (
    after_wrap,
    is_named,
    last_version,
    named_version,
    timed_version,
    with_offset,
    without_offset,
    written_ms,
)

LONGEST = 4_611_686_018_427_387


@given(st.integers(0, LONGEST), st.integers(0, LONGEST))
def test_numbers_keep_their_order_and_fit_a_long(one, other):
    versions = named_version(one), named_version(str(other))
    assert (versions[0] > versions[1]) == (one > other)
    assert all(YEAR_10000_MS < version < 2**63 and is_named(version) for version in versions)


@given(*[st.datetimes(timezones=st.just(UTC)).filter(lambda at: at.year >= 1970)] * 2)
def test_times_keep_their_order_to_the_microsecond(one, other):
    assert (named_version(one.isoformat()) > named_version(other.isoformat())) == (one > other)


def test_a_time_is_the_number_of_its_milliseconds():
    at = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    same = {ms, str(ms), f"{ms}.0", float(ms), "2026-11-22T09:30:00Z", " 2026-11-22 10:30+01:00", "2026-11-22T09:30:00"}
    assert len({named_version(each) for each in same}) == 1


def test_fractions_order():
    assert named_version(1.1) < named_version("1.2") < named_version(1.25) < named_version(2)


@pytest.mark.parametrize("absent", [None, ""])
def test_absent(absent):
    assert named_version(absent) is None
    assert not is_named(YEAR_10000_MS)
    assert validate_raw({"text": "x", "version": absent}).attributes == {}


@pytest.mark.parametrize(
    "wrong",
    [
        True,
        -1,
        -0.5,
        float("nan"),
        float("inf"),
        LONGEST + 1,
        1e300,
        "2.3.1",
        "v4",
        "1e9",
        "1969-12-31T23:59:59Z",
        [],
        {},
    ],
)
def test_wrong_versions_name_field_value_and_fix(wrong):
    with pytest.raises(InvalidRecord) as refused:
        validate_raw({"text": "x", "version": wrong})
    error = refused.value
    assert (error.reason, error.field, error.stage) == ("bad_version", "version", "validate")
    assert repr(wrong)[:70] in str(error)
    assert "RFC 3339" in str(error)


def test_the_version_is_no_attribute_and_in_the_schema():
    record = parse_raw(json.dumps({"text": "x", "id": "1", "version": 7}).encode())
    assert (record.version, record.attributes, record.unknown_fields) == (7, {}, 0)
    assert "version" in record_schema("raw")["properties"]


TIMES = st.integers(0, 2**42 - 1)
OFFSETS = st.integers(0, 2**62)
WRAP = 2**19


@given(TIMES, OFFSETS, TIMES, OFFSETS)
def test_times_order_and_offsets_order_within_a_time(one_ms, one, other_ms, other):
    first, second = timed_version(one_ms, one), timed_version(other_ms, other)
    assert 2**61 <= first < 2**62
    assert written_ms(first) == without_offset(first) == one_ms
    assert not is_named(first)
    if one_ms != other_ms:
        assert (first < second) == (one_ms < other_ms)
    elif one // WRAP == other // WRAP:
        assert (first < second) == (one < other)


@given(st.integers(0, 2**42 - 2), OFFSETS)
def test_versions_of_earlier_indices_compare_by_time(at_ms, offset):
    assert with_offset(at_ms) <= timed_version(at_ms, offset) < with_offset(at_ms + 1)
    assert without_offset(at_ms) == written_ms(at_ms) == at_ms
    assert with_offset(named_version(7)) == without_offset(named_version(7)) == named_version(7)


def test_a_missing_timestamp_and_one_of_the_far_future_fit():
    assert timed_version(-1, 3) == timed_version(0, 3)
    assert timed_version(2**60, 3) < 2**62


@given(st.integers(0, 2**42 - 2), st.integers(1, 4_000), st.integers(0, 4_000), st.integers(1, 4_000))
def test_a_record_after_the_wrap_replaces_one_before_it(at_ms, before, after, later):
    old, new = timed_version(at_ms, WRAP - before), timed_version(at_ms, WRAP + after)
    assert new < old
    raised = after_wrap(new, old)
    assert old < raised < timed_version(at_ms + 1, WRAP + after + later)
    # The one before it, written late, stays refused; so does the newer one, written again.
    assert after_wrap(old, raised) is None
    assert after_wrap(new, raised) is None
    newest = timed_version(at_ms, WRAP + after + later)
    if after + later < 4_096:
        assert raised < after_wrap(newest, raised) < timed_version(at_ms + 1, WRAP + after + later + 1)


def test_a_record_that_is_older_is_never_raised():
    assert after_wrap(timed_version(7, 1), timed_version(8, WRAP - 1)) is None
    assert after_wrap(timed_version(7, 1), timed_version(7, 200_000)) is None
    assert after_wrap(timed_version(7, 1), named_version(1)) is None
    assert after_wrap(7, 8) is None


def test_a_deletion_is_above_all_that_was_written_before_it():
    assert last_version(1_000, timed_version(900, 5)) > timed_version(1_000, WRAP - 2)
    assert last_version(1_000, timed_version(900, 5)) < timed_version(1_001, 0)
    assert last_version(1_000, 900) == 1_000
    assert last_version(1_000, named_version(5)) == named_version(5)
