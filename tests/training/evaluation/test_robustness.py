import json

import pytest

from triage.errors import TrainingError
from triage.training.data.labels import Taxonomy
from triage.training.evaluation.robustness import read_pairs, robustness, scope_metrics
from triage.types import Prediction

TAXONOMY = Taxonomy("t", ("billing", "praise"), ("negative", "neutral", "positive"), ("person",))


class Scripted:
    """Predicts the labels that the first letter of a text stands for."""

    def predict(self, texts):
        return [self._one(text) for text in texts]

    def _one(self, text):
        intent, sentiment = {"b": ("billing", "negative"), "p": ("praise", "positive")}[text[0]]
        return Prediction([(intent, 0.9)], {sentiment: 1.0}, low_confidence=text.endswith("?"))


def side(text):
    intent, sentiment = ("billing", "negative") if "bill" in text else ("praise", "positive")
    return {"text": text, "intent": intent, "sentiment": sentiment}


def write(tmp_path, rows):
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(kind, original, perturbed):
    return {"kind": kind, "original": side(original), "perturbed": side(perturbed)}


def test_consistency_needs_equal_labels_or_two_correct_ones_where_the_label_changes(tmp_path):
    rows = [
        row("typos", "bill", "billl"),
        row("typos", "bill a", "p bill"),  # the perturbed copy gets another label
        row("negation", "p good", "bill"),  # the label changes, both are correct
        row("negation", "b good", "bill b"),  # the label changes, the original is wrong
    ]
    found = robustness(Scripted(), read_pairs(write(tmp_path, rows), TAXONOMY))
    by = {(one["kind"], one["head"]): one for one in found}
    assert by["typos", "intent"] == {
        "kind": "typos", "head": "intent", "pairs": 2, "original": 1.0, "perturbed": 0.5, "consistency": 0.5,
    }  # fmt: skip
    assert by["negation", "sentiment"]["original"] == 0.5
    assert by["negation", "sentiment"]["perturbed"] == 1.0
    assert by["negation", "sentiment"]["consistency"] == 0.5


def test_a_limit_keeps_every_kind(tmp_path):
    rows = [row("typos", "bill", "billl")] * 3 + [row("case", "bill", "bILL bill")]
    found = robustness(Scripted(), read_pairs(write(tmp_path, rows), TAXONOMY), 1)
    assert {(one["kind"], one["pairs"]) for one in found} == {("typos", 1), ("case", 1)}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"kind": "typos", "original": side("bill")}, "line 1 has no 'perturbed'"),
        ({**row("typos", "bill", "b"), "original": side("bill") | {"intent": "x"}}, "line 1: intent 'x' is not in"),
    ],
)
def test_broken_pairs_are_named(tmp_path, broken, message):
    with pytest.raises(TrainingError, match=message):
        read_pairs(write(tmp_path, [broken]), Taxonomy("t", ("billing", "praise"), TAXONOMY.sentiments, ()))


def test_out_of_scope_texts_should_be_other_or_flagged():
    class Some(Scripted):
        def _one(self, text):
            intent = {"o": "other", "b": "billing"}[text[0]]
            return Prediction([(intent, 0.9)], {"neutral": 1.0}, low_confidence=text.endswith("?"))

    found = scope_metrics(Some(), ["o", "b", "b?", "o?"])
    assert found == {"texts": 4, "other": 0.5, "low_confidence": 0.5, "confident_wrong": 0.25}
