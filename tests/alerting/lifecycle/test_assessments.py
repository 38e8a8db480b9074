"""Assessments: the last one of an alert counts, in whatever order they are read."""

from itertools import permutations

import pytest

from triage.alerting.lifecycle.assessments import Assessments
from triage.schemas.action import Judge
from triage.schemas.alert import Assessment


def judge(verdict, at_ms, key="triage-1", **fields):
    return Judge(id=f"j{at_ms}", actor="Kim", at_ms=at_ms, dedup_key=key, verdict=verdict, **fields)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_last_judgement_counts_also_if_the_topic_is_read_twice(order):
    said = [judge("right", 1_000), judge("withdrawn", 2_000), judge("false", 3_000, comment="a sale")]
    found = Assessments([said[index] for index in (*order, *order)])
    assert found.get("triage-1") == Assessment("false", "Kim", "1970-01-01T00:00:03.000Z", "a sale")
    assert found.keys() == ["triage-1"]


def test_a_withdrawn_judgement_is_none_but_known():
    found = Assessments([judge("right", 1), judge("withdrawn", 2)])
    assert found.get("triage-1") is None
    assert "triage-1" in found
    assert "triage-2" not in found
