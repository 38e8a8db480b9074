"""Outcomes of records: written again, escalated, a column of the operator's."""

import pytest
from records import AT_MS, enriched
from risks import defined

from triage.assist.risk.labelling import label_records
from triage.errors import ConfigError
from triage.risk.features import History
from triage.schemas.enriched import Event, Route

DAY = 86_400_000
NOW = AT_MS + 100 * DAY


def _at(days, author="v1:a", score=-0.3, queue="general", text="text"):
    return enriched(text, AT_MS + int(days * DAY), score=score, author_id=author, route=Route(queue, []))


def _labels(found, definition, now=NOW, **more):
    labelled = label_records(found, definition, now, **more)
    return [(each.at_ms - AT_MS) / DAY for each in labelled.examples if each.happened], labelled


def test_the_same_author_writes_again_more_negatively():
    found = [
        _at(0),
        _at(10, score=-0.9),  # after 10 days, more negative
        _at(20, "v1:b"),
        _at(25, "v1:b", score=-0.35),  # hardly more negative
        _at(40, "v1:c"),
        _at(60, "v1:c", score=-0.9),  # too late
        _at(61, None),
        _at(99, "v1:d"),
    ]
    happened, labelled = _labels(found, defined(target={"writes_again": {}}, attributes=[]))
    assert happened == [0]
    assert labelled.left_out == {"no author": 1, "too new: the window has not ended": 1}


def test_a_positive_text_after_a_worse_one_is_not_more_negative():
    happened, _ = _labels([_at(0, score=-0.9), _at(3, score=0.9), _at(50)], defined(target={"writes_again": {}}))
    assert happened == []


def test_a_route_becomes_legal():
    found = [_at(0), _at(5, queue="legal"), _at(20, "v1:b"), _at(90, "v1:c")]
    happened, labelled = _labels(found, defined(target={"escalates": {}}))
    assert happened == [0]
    assert labelled.left_out["already in such a queue"] == 1


def test_records_of_the_future_are_not_known_before_their_window_ends():
    _, labelled = _labels([_at(0), _at(20), _at(21)], defined(target={"writes_again": {}}), now=AT_MS + 15 * DAY)
    assert len(labelled.examples) == 1


def test_an_attribute_is_compared_without_case():
    found = [enriched("a", attributes={"closed": "RELIEF"}), enriched("b", attributes={"closed": "no"}), enriched("c")]
    _, labelled = _labels(found, defined())
    assert [each.happened for each in labelled.examples] == [True, False]
    assert labelled.left_out == {"no value in the column": 1}


def test_a_file_of_outcomes_by_record_and_by_author(tmp_path):
    path = tmp_path / "crm.csv"
    path.write_text("id,churned\nanna,yes\nbert,no\n", "utf-8")
    column = {"file": str(path), "column": "churned", "values": ["yes"]}
    records = [_at(0, "h:shop:anna"), _at(1, "h:shop:bert"), _at(2, "h:shop:carl"), _at(3, "h:other:anna")]
    for record, name in zip(records, ["anna", "bert", "carl", "anna"], strict=True):
        record.source, record.event = "shop", Event(name, record.timestamp)
    _, by_record = _labels(records, defined(target={"column": column}))
    assert [each.happened for each in by_record.examples] == [True, False, True]
    hashes = {"author_hashes": lambda source, author: [f"old:{source}:{author}", f"h:{source}:{author}"]}
    _, by_author = _labels(records, defined(target={"column": column | {"by": "author"}}), **hashes)
    assert [each.happened for each in by_author.examples] == [True, False]


def test_a_row_that_ends_early_has_no_value(tmp_path):
    path = tmp_path / "crm.csv"
    path.write_text("id,churned\nanna,yes\nbert\n", "utf-8")
    records = [_at(0), _at(1)]
    for record, name in zip(records, ["anna", "bert"], strict=True):
        record.event = Event(name, record.timestamp)
    column = {"file": str(path), "column": "churned", "values": ["yes"]}
    _, labelled = _labels(records, defined(target={"column": column}))
    assert [each.happened for each in labelled.examples] == [True]
    assert labelled.left_out == {"no value in the column": 1}


@pytest.mark.parametrize("rows", ["", "1,yes\n"])
def test_a_missing_column_is_named(tmp_path, rows):
    path = tmp_path / "crm.csv"
    path.write_text(f"customer,churned\n{rows}", "utf-8")
    column = {"file": str(path), "column": "churned", "values": ["yes"]}
    with pytest.raises(ConfigError, match="no column 'id'; it has customer, churned"):
        _labels([_at(0)], defined(target={"column": column}))


def test_history_counts_only_what_came_before():
    found = [_at(0), _at(5, score=0.9), _at(10), _at(99)]
    _, labelled = _labels([each for each in found if each], defined(target={"writes_again": {}}))
    assert labelled.examples[0].history == History()
    assert labelled.examples[2].history == History(2, 1, 5.0)


def test_automatic_messages_are_left_out():
    _, labelled = _labels([enriched("a", flags=["automatic"], attributes={"closed": "relief"})], defined())
    assert labelled.left_out == {"automatic or without text": 1}
