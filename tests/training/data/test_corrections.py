"""Corrections as examples: the last one of a record, none that people disagree on, none that tests."""

import msgspec
import pytest
from records import enriched

from triage.config import ElasticsearchSettings
from triage.errors import ConfigError, TrainingError
from triage.schemas.correction import correction_of
from triage.training.data import corrections
from triage.training.data.corpus import share_of
from triage.training.data.examples import Example
from triage.training.data.labels import load_taxonomy
from triage.training.release.workflow import build_corpus

TAXONOMY = load_taxonomy()


def made(record, text, minute=0, intent="billing", sentiment="negative"):
    at = f"2026-11-22T09:{minute:02d}:00.000Z"
    return correction_of(
        record, enriched(text), actor="ann", corrected_at=at, intent=intent, sentiment=sentiment
    )  # fmt: skip


def used(*given, tests=()):
    splits, account = corrections.examples_of(given, TAXONOMY, list(tests))
    found = [example for examples in splits.values() for example in examples]
    return {example.text: (example.intent, example.sentiment) for example in found}, account


def test_the_last_correction_of_a_record_counts():
    found, account = used(made("r1", "the fee is wrong", 1, "payment"), made("r1", "the fee is wrong", 2, "billing"))
    assert found == {"the fee is wrong": ("billing", "negative")}
    assert (account.corrections, account.records, account.texts, account.changed) == (2, 1, 1, 1)


def test_a_confirmation_teaches_too_but_is_no_change():
    _, account = used(made("r1", "where is my parcel", intent="delivery"))
    assert (account.texts, account.changed) == (1, 0)


def test_copies_are_one_text_and_a_label_on_which_people_differ_is_left_out():
    found, account = used(
        made("r1", "The delivery was late, order 17", 1, "delivery"),
        made("r2", "the delivery was LATE - order 18!", 2, "staff_service"),
        made("r3", "Thanks for nothing at all", 3, "praise", None),
        made("r4", "thanks for nothing at all!", 4, None, "negative"),
    )
    assert found == {
        "the delivery was LATE - order 18!": (None, "negative"),
        "thanks for nothing at all!": ("praise", "negative"),
    }
    assert account.conflicting == 1


def test_nothing_that_tests_is_learnt_nor_validates():
    test = Example("My card was charged twice for the same order yesterday", "banking77")
    found, account = used(
        made("r1", "my card was charged twice, for the same order yesterday!"), made("r2", "another text"), tests=[test]
    )
    assert set(found) == {"another text"}
    assert account.in_a_test == 1


def test_the_checkouts_own_tests_hold_out_by_default():
    text = next(example.text for example in corrections.test_texts() if len(example.text) > 60)
    splits, account = corrections.examples_of([made("r1", text)], TAXONOMY)
    assert (splits, account.in_a_test) == ({"train": [], "validation": []}, 1)


def test_labels_of_another_taxonomy_are_named():
    found, account = used(
        made("r1", "a text", intent="parking"), made("r2", "b text", intent="parking", sentiment=None)
    )
    assert found == {"a text": (None, "negative")}
    assert account.unknown == {"parking": 2}
    assert "2 labels left out: the taxonomy has no 'parking'" in account.lines()[-1]


def test_a_tenth_validates_and_stays_there():
    many = [made(f"r{n}", f"correction about something {chr(97 + n % 26)}{chr(97 + n // 26)}") for n in range(200)]
    first, _ = corrections.examples_of(many[:100], TAXONOMY, [])
    later, account = corrections.examples_of(many, TAXONOMY, [])
    assert {e.text for e in first["validation"]} <= {e.text for e in later["validation"]}
    assert 5 <= account.validating <= 40
    assert all(share_of(example.text) >= corrections.VALIDATION_SHARE for example in later["train"])


def test_a_file_is_read_in_the_order_in_which_they_were_made(tmp_path):
    path = tmp_path / "corrections.jsonl"
    lines = [made("r1", "a text", 9, "payment"), made("r1", "a text", 1, "billing")]
    path.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    found = corrections.read_corrections(str(path), ElasticsearchSettings)
    assert [each.intent for each in found] == ["billing", "payment"]
    path.write_text('{"record": 1}\nno json\n')
    with pytest.raises(TrainingError, match=r"line 1: .*\n  line 2: "):
        corrections.read_corrections(str(path), ElasticsearchSettings)
    with pytest.raises(ConfigError, match="no such file"):
        corrections.read_corrections(str(tmp_path / "none"), ElasticsearchSettings)


def test_they_are_in_the_corpus_as_an_owners_texts_are():
    texts = [f"eine ganz eigene Beschwerde Nummer {word}" for word in ("eins", "zwei", "drei", "vier", "fuenf")]
    given = [made(f"r{n}", text) for n, text in enumerate(texts)]
    corpus, _ = build_corpus(None, corrections=lambda taxonomy: corrections.examples_of(given, taxonomy, [])[0])
    found = {e.text for split in (corpus.train, corpus.validation) for e in split["own"] if e.source == "corrections"}
    assert found <= set(texts)
    assert len(found) >= 4
