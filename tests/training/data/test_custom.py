import gzip
import json
import re
from collections import Counter

import pytest

from triage.errors import TrainingError
from triage.training.data.contamination import find_contaminated, text_key
from triage.training.data.custom import project_texts, read_custom_data
from triage.training.data.datasets import project_test_texts
from triage.training.data.labels import load_taxonomy

TAXONOMY = load_taxonomy()
HAN = re.compile("[\u4e00-\u9fff]")


def test_project_texts_cover_every_intent_in_both_languages_and_are_mostly_chinese():
    train = project_texts("train", TAXONOMY)
    chinese = [example for example in train if HAN.search(example.text)]
    english = [example for example in train if not HAN.search(example.text)]
    assert len(train) >= 5_000
    assert len(chinese) / len(train) >= 0.6
    for group in (chinese, english):
        assert set(TAXONOMY.intents) == {example.intent for example in group} - {None}
    assert min(Counter(example.intent for example in train).values()) >= 60
    assert {"negative", "neutral", "positive"} == {example.sentiment for example in train}
    found = Counter(entity.label for example in train for entity in example.entities or ())
    assert min(found[label] for label in TAXONOMY.entity_types) >= 150


def test_project_validation_shares_no_text_with_train():
    train = {text_key(example.text) for example in project_texts("train", TAXONOMY)}
    validation = project_texts("validation", TAXONOMY)
    assert len(validation) >= 100
    assert not [example.text for example in validation if text_key(example.text) in train]


def test_the_projects_training_texts_are_not_contaminated():
    assert find_contaminated(project_texts("train", TAXONOMY), project_test_texts()) == []


def test_a_csv_with_other_column_names(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text('body,topic\n"late, again",delivery\nno label yet,\n', encoding="utf-8-sig")
    rows = read_custom_data(path, TAXONOMY, text_column="body", intent_column="topic")
    assert [(row.text, row.intent, row.sentiment, row.entities) for row in rows] == [
        ("late, again", "delivery", None, None),
        ("no label yet", None, None, None),
    ]


def test_every_invalid_row_is_named_with_its_line(tmp_path):
    path = tmp_path / "mine.jsonl"
    rows = [
        {"text": "fine", "intent": "billing"},
        {"text": "x", "intent": "bills"},
        {"intent": "billing"},
        {"text": "my iPhone", "entities": [{"text": "iPhone", "label": "product", "start": 0, "end": 6}]},
        {"text": "my iPhone", "entities": [{"text": "iPhone", "label": "gadget", "start": 3, "end": 9}]},
        {"text": "my iPhone", "sentiment": "angry", "entities": [{"text": "iPhone"}]},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n{broken\n", encoding="utf-8")
    with pytest.raises(TrainingError) as caught:
        read_custom_data(path, TAXONOMY)
    message = str(caught.value)
    for part in (
        "line 2: intent 'bills' is not in the taxonomy",
        "line 3: text is missing or empty",
        "line 4: entity 'iPhone' is not the text at 0..6",
        "line 5: entity label 'gadget' is not in the taxonomy",
        "line 6: sentiment 'angry'",
        "line 6: entity {'text': 'iPhone'} needs",
        "line 7: is not an object",
    ):
        assert part in message


def test_missing_columns_are_named_with_the_present_ones(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("body,topic\nlate again,delivery\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="no row has a field text; the fields are body, topic"):
        read_custom_data(path, TAXONOMY, intent_column="topic")
    with pytest.raises(TrainingError, match="no row has a field subject; the fields are body, topic"):
        read_custom_data(path, TAXONOMY, text_column="body", intent_column="subject")
    with pytest.raises(TrainingError, match="no row has a label"):
        read_custom_data(path, TAXONOMY, text_column="body")


@pytest.mark.parametrize("name", ["rows.jsonl.gz", "rows.csv.gz"])
def test_a_packed_file_is_read_too_and_named_if_it_is_cut(tmp_path, name):
    path = tmp_path / name
    content = (
        b"text,intent\nlate again,delivery\n" if "csv" in name else b'{"text": "late again", "intent": "delivery"}\n'
    )
    path.write_bytes(gzip.compress(content))
    assert [(one.text, one.intent) for one in read_custom_data(path, TAXONOMY)] == [("late again", "delivery")]
    path.write_bytes(gzip.compress(content)[:-9])
    with pytest.raises(TrainingError, match=rf"{name} cannot be read"):
        read_custom_data(path, TAXONOMY)


def test_a_file_without_rows_and_a_missing_file(tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("\n", encoding="utf-8")
    with pytest.raises(TrainingError, match="holds no rows"):
        read_custom_data(empty, TAXONOMY)
    with pytest.raises(TrainingError, match="cannot be read"):
        read_custom_data(tmp_path / "absent.jsonl", TAXONOMY)
