import gzip
import json
from collections import Counter

import pytest

from triage.errors import TrainingError
from triage.training.data.corpus import CUSTOM_REPEAT, load_corpus, read_split
from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy
from triage.training.data.training_sets import TrainingSet

TAXONOMY = Taxonomy("t", ("billing", "delivery"), ("negative", "neutral", "positive"), ("person",))
ENTRY = {
    "path": "en/dataset",
    "reader": "labelled",
    "intent": {"field": "label", "map": {"b": "billing", "d": "delivery"}},
}


def write(root, name, rows):
    folder = root / "en" / "dataset"
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def rows(count, label, stem):
    # Letters only: texts that differ only in digits are copies.
    return [
        {"text": f"{stem} about {chr(97 + i // 26)}{chr(97 + i % 26)} and so on", "label": label} for i in range(count)
    ]


def test_contaminated_texts_are_dropped_from_train(tmp_path):
    write(tmp_path, "train", [*rows(20, "b", "bill"), *rows(20, "d", "parcel")])
    write(tmp_path, "validation", rows(2, "b", "bill"))
    write(tmp_path, "test", [{"text": "PARCEL about aa and so on!", "label": "d"}])
    corpus = load_corpus(tmp_path, [TrainingSet("dataset", "labelled", ENTRY)], TAXONOMY)
    assert len(corpus.train["dataset"]) == 37
    assert corpus.dropped["dataset"] == 3
    assert len(corpus.test["dataset"]) == 1


def test_weak_labels_are_in_train_and_never_in_test(tmp_path):
    entry = ENTRY | {"weak": ["intent"], "sentiment": {"constant": "neutral"}}
    for split in ("train", "test"):
        write(tmp_path, split, rows(3, "b", split))
    source = TrainingSet("dataset", "labelled", entry)
    assert {example.intent for example in read_split(tmp_path, source, "train")} == {"billing"}
    assert {(e.intent, e.sentiment) for e in read_split(tmp_path, source, "test")} == {(None, "neutral")}


def test_validation_is_split_off_by_text_and_not_by_order(tmp_path):
    entry = ENTRY | {"validation_share": 0.3}
    mixed = [*rows(60, "b", "bill"), *rows(60, "d", "parcel")]
    write(tmp_path, "train", mixed)
    one = load_corpus(tmp_path, [TrainingSet("dataset", "labelled", entry)], TAXONOMY)
    write(tmp_path, "train", mixed[::-1])
    two = load_corpus(tmp_path, [TrainingSet("dataset", "labelled", entry)], TAXONOMY)
    texts = {example.text for example in one.validation["dataset"]}
    assert texts == {example.text for example in two.validation["dataset"]}
    assert 15 <= len(texts) <= 60
    assert not texts & {example.text for example in one.train["dataset"]}


def test_an_epoch_samples_capped_sources_and_repeats_small_ones(tmp_path):
    write(tmp_path, "train", [*rows(30, "b", "bill"), *rows(30, "d", "parcel")])
    custom = {"train": [Example("my own text", "own", intent="billing")]}
    capped = load_corpus(tmp_path, [TrainingSet("dataset", "labelled", ENTRY | {"cap": 10})], TAXONOMY, custom)
    first, second = capped.epoch(1), capped.epoch(2)
    assert len(first) == len(second) == 10 + CUSTOM_REPEAT
    assert {e.text for e in first} != {e.text for e in second}
    assert capped.epoch(1) == first
    repeated = load_corpus(tmp_path, [TrainingSet("dataset", "labelled", ENTRY | {"repeat": 2})], TAXONOMY)
    assert len(repeated.epoch(1)) == 120


def test_texts_of_a_rare_sentiment_are_several_times_in_the_pool(tmp_path):
    entry = ENTRY | {"sentiment": {"field": "mood"}, "copies": {"neutral": 4}}
    write(
        tmp_path,
        "train",
        [row | {"mood": "neutral"} for row in rows(5, "b", "bill")]
        + [row | {"mood": "negative"} for row in rows(29, "d", "parcel")]
        + [{"text": "what a lovely voucher", "label": "d", "mood": "positive"}],
    )
    corpus = load_corpus(tmp_path, [TrainingSet("dataset", "labelled", entry | {"repeat": 2})], TAXONOMY)
    moods = Counter(example.sentiment for example in corpus.epoch(1))
    assert moods == {"neutral": 5 * 4 * 2, "negative": 29 * 2, "positive": 2}
    assert corpus.mix == {"dataset": 100}
    capped = load_corpus(tmp_path, [TrainingSet("dataset", "labelled", entry | {"cap": 45})], TAXONOMY)
    assert capped.mix == {"dataset": 45}
    assert Counter(example.sentiment for example in capped.epoch(1))["neutral"] >= 15


def test_an_intent_without_texts_is_refused_by_name(tmp_path):
    write(tmp_path, "train", rows(3, "b", "bill"))
    with pytest.raises(TrainingError, match="no training text has the intent delivery"):
        load_corpus(tmp_path, [TrainingSet("dataset", "labelled", ENTRY)], TAXONOMY)


def test_missing_and_damaged_datasets_are_named(tmp_path):
    source = TrainingSet("dataset", "labelled", ENTRY)
    with pytest.raises(TrainingError, match="has no en/dataset"):
        load_corpus(tmp_path, [source], TAXONOMY)
    write(tmp_path, "train", [{"label": "b"}])
    with pytest.raises(TrainingError, match="a row has no field 'text'"):
        read_split(tmp_path, source, "train")
    (tmp_path / "en" / "dataset" / "train.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(TrainingError, match="cannot be read"):
        read_split(tmp_path, source, "train")
