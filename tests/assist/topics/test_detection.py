"""Emerging topics: groups, significance, names; weeks that differ by chance alone report nothing."""

import numpy as np
import pytest
from small_encoder import SmallEncoder

from triage.assist.topics.detection import TopicRecord, emerging_topics
from triage.assist.topics.naming import words_of
from triage.assist.topics.significance import compare_groups, dispersion

_WORDS = """
    shop staff door phone screen colour taste noise price room train queue menu sofa glass paint
""".split()  # noqa: SIM905 - easier to read
ODD = "the pump leaks oil near the {} valve"
ODD_ZH = "水泵漏油{}"


def _records(rng, number, week):
    return [
        TopicRecord(f"{week}-{n}", " ".join(rng.choice(_WORDS, 4, replace=False)), week, (("product", "lamp"),))
        for n in range(number)
    ]


@pytest.fixture(scope="module")
def records():
    rng = np.random.default_rng(3)
    return [record for week in range(5) for record in _records(rng, 60, week)]


def _vectors(records):
    return SmallEncoder().encode_questions([each.text for each in records])


def test_a_new_topic_is_found_named_and_shown(records):
    new = [TopicRecord(f"n{n}", ODD.format(n), 0, (("product", "pump"),)) for n in range(20)]
    given = [*records, *new]
    found = emerging_topics(given, _vectors(given))
    assert len(found) == 1
    topic = found[0]
    assert topic.records >= 18
    assert topic.before == 0
    assert {"pump", "leaks", "oil", "near", "valve"} >= set(topic.words) > set()
    assert {each.record for each in topic.examples} <= {each.id for each in new}
    assert topic.fields == {"product": "pump"}
    assert topic.p < 0.001


def test_what_was_as_frequent_before_is_not_new(records):
    steady = [TopicRecord(f"s{n}", ODD.format(n), n % 5) for n in range(60)]
    given = [*records, *steady]
    assert emerging_topics(given, _vectors(given)) == []


def test_nothing_of_too_little(records):
    assert emerging_topics([], np.zeros((0, 384), np.float32)) == []
    assert emerging_topics(records[:3], _vectors(records[:3])) == []


def test_shuffled_weeks_report_no_topic(records):
    vectors, rng = _vectors(records), np.random.default_rng(11)
    weeks = np.array([each.week for each in records])
    reported = 0
    for _ in range(10):
        shuffled = rng.permutation(weeks)
        given = [TopicRecord(each.id, each.text, int(week)) for each, week in zip(records, shuffled, strict=True)]
        reported += bool(emerging_topics(given, vectors))
    assert reported <= 1


def test_weeks_that_differ_among_one_another_weaken_the_evidence():
    weeks = np.repeat([0, 1, 2, 3, 4], 100)
    alike = [np.flatnonzero(np.arange(500) % 5 == part) for part in range(5)]
    assert dispersion(alike, weeks) == 1.0
    bursts = [np.arange(100 * week, 100 * week + 100) for week in range(5)]
    assert dispersion(bursts, weeks) > 10
    strong = compare_groups([np.arange(30)], weeks)[0]
    assert strong.emerging
    weak = compare_groups([np.arange(30), *bursts[1:]], weeks)[0]
    assert weak.p > strong.p


def test_names_of_both_languages():
    assert words_of([ODD.format(n) for n in range(9)], ["the shop has a door"] * 20)[0] in {"pump", "leaks", "oil"}
    named = words_of([ODD_ZH.format("了" * (n % 2)) for n in range(9)], ["店员态度不好"] * 20)
    assert named[0] == "水泵漏油"
    assert words_of(["a"], []) == []
