import gzip
import json

import pytest

from triage.training.data.datasets import read_rows
from triage.training.risks import background
from triage.training.risks.background import background_texts, digest, labelled_texts
from triage.types import RiskLabel


@pytest.fixture
def data(tmp_path):
    rows = {
        "en/wnut17/train": [
            {"tokens": ["Police", "search", "the", "road"]},
            {"text": "somebody stole the sun"},
            {"text": "somebody stole my heart!", "label": "positive"},
            {"text": "it stands in the test split"},
            {"text": "my phone caught fire"},
        ],
        "en/wnut17/test": [{"text": "It stands in the test split."}],
        "en/cfpb_complaints/train": [{"text": "nobody answers my letters"}],
        "zh/weibo_ner/train": [{"tokens": ["下", "雨", "了"]}],
    }
    for name, lines in rows.items():
        path = tmp_path / f"{name}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
    return tmp_path


def test_texts_without_risk_train_what_their_words_leave_certain(data):
    known = {text.text: text.known for text in background_texts(data)}
    everything = frozenset(RiskLabel)
    assert known == {
        "Police search the road": everything,
        "somebody stole the sun": everything - {RiskLabel.FRAUD},
        "somebody stole my heart!": everything,
        "my phone caught fire": everything,
        "nobody answers my letters": everything - {RiskLabel.LEGAL_THREAT, RiskLabel.FRAUD},
        "下雨了": everything,
    }
    assert not any(text.risks for text in background_texts(data))


def test_excluded_texts_are_left_out_by_their_digest(data, tmp_path, monkeypatch):
    (tmp_path / "risks_excluded.txt").write_text(digest("My phone caught fire.") + "\n")
    monkeypatch.setattr(background, "RESOURCES", tmp_path)
    assert "my phone caught fire" not in {text.text for text in background_texts(data)}


def test_texts_with_alarming_words_come_first(tmp_path):
    path = tmp_path / "zh" / "asap_sample" / "train.jsonl.gz"
    path.parent.mkdir(parents=True)
    places = "abcdefghijklmnopqrst"
    with gzip.open(path, "wt") as file:
        for one in places:
            for other in places:
                words = "is on fire" if other in "abc" else "is open"
                file.write(json.dumps({"text": f"the shop {one}{other} {words}"}) + "\n")
    chosen = [text.text for text in background_texts(tmp_path)]
    assert len(chosen) == len(set(chosen)) == 60
    assert sum("fire" in text for text in chosen) >= 45
    assert chosen == [text.text for text in background_texts(tmp_path)]


def test_texts_of_the_other_heads_are_examples_without_risk():
    texts = labelled_texts()
    assert len(texts) > 5_000
    assert not any(text.risks for text in texts)
    assert sum(RiskLabel.CHURN_THREAT not in text.known for text in texts) > 100
    # A report of danger among them is excluded: it must not teach the head to overlook it.
    assert "吹风机用着用着冒烟了，吓死人" not in {text.text for text in texts}


def test_a_text_whose_intent_is_fraud_is_no_example_without_fraud():
    rows = read_rows(background.RESOURCES / background._LABELLED)
    fraud = {row["text"] for row in rows if row.get("intent") == "fraud_security"}
    found = [text for text in labelled_texts() if text.text in fraud]
    assert len(found) > 100
    assert not any(RiskLabel.FRAUD in text.known for text in found)
