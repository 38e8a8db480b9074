import json
from collections import Counter

import pytest
from checkout import ROOT

from triage.errors import TrainingError
from triage.training.data.contamination import text_key
from triage.training.data.custom import read_custom_data
from triage.training.data.datacard import data_card
from triage.training.data.datasets import content_digest, load_datasets, load_lock, project_test_texts, read_rows
from triage.training.data.labels import load_taxonomy
from triage.training.data.training_sets import load_training_sets

DATA = ROOT / "benchmarks" / "data"


def test_every_source_is_described_and_by_the_same_licence():
    datasets = load_datasets()
    for source in load_training_sets(load_taxonomy()):
        dataset = datasets[source.name]
        assert dataset.licence == source.entry["licence"], source.name
        assert dataset.flaws
        assert bool(dataset.committed) != bool(dataset.left_out), f"{source.name}: committed, or why not"


def test_committed_splits_match_the_manifest():
    manifest = json.loads((DATA / "manifest.json").read_text(encoding="utf-8"))
    datasets, lock = load_datasets(), load_lock()
    there = {str(path.relative_to(DATA)) for path in DATA.glob("*/*/*.bz2")}
    assert there == set(manifest)
    for name, entry in manifest.items():
        assert content_digest(DATA / name) == {"rows": entry["rows"], "sha256": entry["sha256"]}
        whole = lock[name.replace(".bz2", ".gz")]
        assert entry["sha256_of_the_whole_split"] == whole["sha256"]
        assert entry["rows"] == whole["rows"]
        assert entry["licence"] == datasets[entry["pack"]].licence
    assert sum(path.stat().st_size for path in DATA.rglob("*.*")) < 3 * 2**20


def test_the_data_card_is_current():
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert page == data_card(), "run `python -m triage.training.data.datacard docs/data.md`"


def test_the_chinese_check_set_is_large_and_balanced():
    taxonomy = load_taxonomy()
    rows = read_custom_data(DATA / "own" / "check_zh.jsonl.bz2", taxonomy)
    intents = Counter(row.intent for row in rows)
    assert len(rows) >= 300
    assert set(intents) == set(taxonomy.intents)
    assert min(intents.values()) >= 15
    assert min(Counter(row.sentiment for row in rows).values()) >= 30
    assert {entity.label for row in rows for entity in row.entities} == set(taxonomy.entity_types)
    assert max(Counter(text_key(row.text) for row in rows).values()) == 1


def test_own_test_texts_are_held_out_with_both_sides_of_a_pair():
    texts = project_test_texts()
    names = Counter(example.source for example in texts)
    assert names["robustness"] == 2 * len(read_rows(DATA / "own" / "robustness.jsonl.bz2"))
    checks = {"check_zh", "check_en", "check_risks", "check_risks_2"}
    assert set(names) == checks | {"robustness", "out_of_scope", "redaction", "names"}


def test_outside_a_checkout_nothing_is_held_out(tmp_path, monkeypatch):
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path))
    assert project_test_texts() == []


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"a": 1}\n[1]\n', "line 2 is not a JSON object"),
        ("a.jsonl", b"nonsense\n", "line 1 is not a JSON object"),
        ("a.jsonl.gz", b"no gzip", "cannot be read"),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TrainingError, match=message):
        read_rows(tmp_path / name)
