"""The account of an erasure asks what it can't answer, and names what it did not look at."""

import json

import orjson
import pytest

from triage.pipeline.erasure.places import Erased
from triage.pipeline.erasure.report import account, as_dict, page, questions, remarks
from triage.pipeline.erasure.survey import BEGAN_WITH_DEMO, RECORDED, UNRECORDED, Survey
from triage.topics.retention import Retention

HASH = "v1:" + "a" * 32
AT_MS = 1_795_339_800_000


def erased(keys=None, survey=None, **found):
    return Erased([HASH], Survey([HASH], keys or {"1": RECORDED}, **(survey or {})), **found)


def test_a_whole_erasure_asks_nothing():
    done = erased(documents=2, indices={"feedback-2026": 2})
    assert questions(done, "shop") == remarks(done) == []


def test_nothing_found_is_asked_about_with_the_sources_of_the_index():
    (asked,) = questions(erased(survey={"sources": {f"s{n}": 100 - n for n in range(12)}}), "shpo")
    assert "nothing was found of this author under source 'shpo'" in asked
    assert "The index has 's0' (100), 's1' (99)" in asked
    assert asked.endswith("'s9' (91) and 2 more")
    assert "The index has no records" in questions(erased(), "")[0]


def test_what_was_erased_before_is_nothing_to_ask_about():
    assert questions(erased(survey={"asked_ms": AT_MS, "erased_before": 3}), "shop") == []
    (asked,) = questions(erased(survey={"asked_ms": AT_MS, "erased_before": 0}), "shop")
    assert "nothing was found" in asked


@pytest.mark.parametrize("state", [UNRECORDED, BEGAN_WITH_DEMO])
def test_nothing_found_with_a_key_that_nothing_vouches_for_may_be_a_wrong_key(state):
    _, asked = questions(erased({"2": RECORDED, "1": state}), "shop")
    assert "a wrong key looks like an author who wrote nothing" in asked
    assert questions(erased({"1": state}, documents=1), "shop") == []


def test_unknown_keys_of_documents_and_letters_are_counted_together():
    done = erased(documents=1, survey={"unknown_versions": {"0": 2}}, unknown_letters={"0": 1, "?": 4})
    (asked,) = questions(done, "shop")
    assert "unknown keys were not searched (version 0 3, version ? 4)" in asked
    assert done.unknown_versions == {"0": 3, "?": 4}


def test_remarks_name_other_sources_and_what_could_not_be_searched():
    said = remarks(erased(survey={"other_sources": {"app": 12, "": 1}, "more_sources": True}, not_understood=2))
    assert "1 documents under source '': if it is the same person, repeat the command with --source ''" in said[0]
    assert "12 documents under source 'app'" in said[1]
    assert "2 messages in the topics of dead letters and alerts were not written by triage" in said[2]
    assert "more sources than were compared" in said[3]


def test_the_report_is_whole_as_json_and_as_text():
    raw = [Retention("feedback.complaints", 1, 1, AT_MS)]
    done = erased(survey={"indices": ["feedback-2026"], "asked_ms": AT_MS}, letters_read=7, alerts_read=2, raw=raw)
    found = json.loads(orjson.dumps(as_dict(done, "shop", dry_run=False, at_ms=AT_MS)))
    assert found["looked_at"] == ["index feedback-2026", "7 dead letters", "2 alerts in their topic"]
    assert found["keys"] == {"1": "as recorded"}
    assert found["at"] == found["asked_before"] == "2026-11-22T09:30:00.000Z"
    assert "snapshots of Elasticsearch" in found["not_reached"]
    assert len(found["questions"]) == 1
    text = page(done, "shop", dry_run=True, at_ms=AT_MS)
    assert text.startswith("Search for an author to erase, 2026-11-22T09:30:00.000Z, source 'shop'\n")
    assert account(done, dry_run=True) in text
    assert "Open questions:\n- nothing was found" in text
    assert "feedback.complaints\tholds the raw text until" in text
    assert "Remarks" not in text
