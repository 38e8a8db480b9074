"""Corrections as examples: the last one of a record, without conflicting labels and test texts."""

import msgspec
import pytest
from records import enriched

from triage.config import ElasticsearchSettings
from triage.errors import ConfigError, TrainingError
from triage.schemas.correction import correction_of
from triage.training.data import corrections
from triage.training.data.corpus import text_fraction
from triage.training.data.examples import Example
from triage.training.data.labels import load_taxonomy
from triage.training.release.workflow import build_corpus

TAXONOMY = load_taxonomy()


def correct(record, text, minute=0, intent="billing", sentiment="negative"):
    at = f"2026-11-22T09:{minute:02d}:00.000Z"
    return correction_of(
        record, enriched(text), actor="ann", corrected_at=at, intent=intent, sentiment=sentiment
    )  # fmt: skip


def used(*given, tests=()):
    splits, summary = corrections.correction_examples(given, TAXONOMY, list(tests))
    found = [example for examples in splits.values() for example in examples]
    return {example.text: (example.intent, example.sentiment) for example in found}, summary


def test_the_last_correction_of_a_record_counts():
    found, summary = used(
        correct("r1", "the fee is wrong", 1, "payment"), correct("r1", "the fee is wrong", 2, "billing")
    )
    assert found == {"the fee is wrong": ("billing", "negative")}
    assert (summary.corrections, summary.records, summary.texts, summary.changed) == (2, 1, 1, 1)


def test_a_confirmation_is_used_and_is_not_a_change():
    _, summary = used(correct("r1", "where is my parcel", intent="delivery"))
    assert (summary.texts, summary.changed) == (1, 0)


def test_copies_are_one_text_and_a_label_on_which_people_differ_is_left_out():
    found, summary = used(
        correct("r1", "The delivery was late, order 17", 1, "delivery"),
        correct("r2", "the delivery was LATE - order 18!", 2, "staff_service"),
        correct("r3", "Thanks for nothing at all", 3, "praise", None),
        correct("r4", "thanks for nothing at all!", 4, None, "negative"),
    )
    assert found == {
        "the delivery was LATE - order 18!": (None, "negative"),
        "thanks for nothing at all!": ("praise", "negative"),
    }
    assert summary.conflicting == 1


def test_texts_of_a_test_split_are_in_no_split():
    test = Example("My card was charged twice for the same order yesterday", "banking77")
    found, summary = used(
        correct("r1", "my card was charged twice, for the same order yesterday!"),
        correct("r2", "another text"),
        tests=[test],
    )
    assert set(found) == {"another text"}
    assert summary.contaminated == 1


def test_the_test_texts_of_the_checkout_are_held_out_by_default():
    text = next(example.text for example in corrections.all_test_texts() if len(example.text) > 60)
    splits, summary = corrections.correction_examples([correct("r1", text)], TAXONOMY)
    assert (splits, summary.contaminated) == ({"train": [], "validation": []}, 1)


def test_labels_of_another_taxonomy_are_named():
    found, summary = used(
        correct("r1", "a text", intent="parking"), correct("r2", "b text", intent="parking", sentiment=None)
    )
    assert found == {"a text": (None, "negative")}
    assert summary.unknown_labels == {"parking": 2}
    assert "2 labels left out: the taxonomy has no 'parking'" in summary.lines()[-1]


def test_a_tenth_is_in_validation_and_stays_there():
    many = [correct(f"r{n}", f"correction about something {chr(97 + n % 26)}{chr(97 + n // 26)}") for n in range(200)]
    first, _ = corrections.correction_examples(many[:100], TAXONOMY, [])
    later, summary = corrections.correction_examples(many, TAXONOMY, [])
    assert {e.text for e in first["validation"]} <= {e.text for e in later["validation"]}
    assert 5 <= summary.validation_texts <= 40
    assert all(text_fraction(example.text) >= corrections.VALIDATION_SHARE for example in later["train"])


def test_a_file_is_read_in_the_order_in_which_they_were_correct(tmp_path):
    path = tmp_path / "corrections.jsonl"
    lines = [correct("r1", "a text", 9, "payment"), correct("r1", "a text", 1, "billing")]
    path.write_bytes(b"\n".join(msgspec.json.encode(line) for line in lines))
    found = corrections.read_corrections(str(path), ElasticsearchSettings)
    assert [each.intent for each in found] == ["billing", "payment"]
    path.write_text('{"record": 1}\nno json\n')
    with pytest.raises(TrainingError, match=r"line 1: .*\n  line 2: "):
        corrections.read_corrections(str(path), ElasticsearchSettings)
    with pytest.raises(ConfigError, match="no such file"):
        corrections.read_corrections(str(tmp_path / "none"), ElasticsearchSettings)


def test_corrections_are_in_the_corpus_as_custom_data():
    texts = [f"eine ganz eigene Beschwerde Nummer {word}" for word in ("eins", "zwei", "drei", "vier", "fuenf")]
    given = [correct(f"r{n}", text) for n, text in enumerate(texts)]
    corpus, _ = build_corpus(None, corrections=lambda taxonomy: corrections.correction_examples(given, taxonomy, [])[0])
    found = {e.text for split in (corpus.train, corpus.validation) for e in split["own"] if e.source == "corrections"}
    assert found <= set(texts)
    assert len(found) >= 4
