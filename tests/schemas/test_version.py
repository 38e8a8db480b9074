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
from triage.schemas.version import is_named, named_version

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
