import pytest

from triage.training.data.examples import Entity, Example
from triage.training.data.labels import Taxonomy
from triage.training.evaluation.metrics import (
    classification_details,
    classification_metrics,
    entity_metrics,
    set_metrics,
)
from triage.training.evaluation.predictions import RowPrediction, head_predictions
from triage.training.evaluation.selective_prediction import selective_prediction
from triage.training.evaluation.sets import EvalSet, Row
from triage.training.evaluation.slices import length_bucket, slice_metrics
from triage.types import Prediction, Span

TAXONOMY = Taxonomy("t", ("billing", "delivery", "other"), ("negative", "neutral", "positive"), ("person", "product"))


def prediction(intent="billing", confidence=0.9, sentiment="negative", spans=(), low=False):
    rest = [label for label in TAXONOMY.intents if label != intent]
    others = [label for label in TAXONOMY.sentiments if label != sentiment]
    return Prediction(
        intents=[(intent, confidence), *((label, (1 - confidence) / 2) for label in rest)],
        sentiment={sentiment: 0.8} | dict.fromkeys(others, 0.1),
        spans=[Span(start, end, label, 0.9, "model") for start, end, label in spans],
        low_confidence=low,
    )


def predicted(found, text="a text", **labels):
    row = {name: labels.pop(name) for name in ("language", "channel", "hard") if name in labels}
    return RowPrediction(Row(Example(text, "s", **labels), **row), "s", found)


def test_classification_metrics_and_details():
    rows = [
        predicted(prediction("billing", 0.9), intent="billing"),
        predicted(prediction("billing", 0.7), intent="delivery"),
        predicted(prediction("delivery", 0.6), intent="delivery"),
        predicted(prediction(), sentiment="negative"),
    ]
    intents = head_predictions(rows, "intent", TAXONOMY.intents)
    metrics = classification_metrics(intents)
    assert metrics["texts"] == 3
    assert metrics["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert metrics["macro_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert metrics["ece"] == pytest.approx((0.1 + 0.7 + 0.4) / 3, abs=1e-4)
    assert set(metrics["interval"]) == {"accuracy", "macro_f1", "macro_recall", "ece"}
    details = classification_details(intents)
    assert details["labels"] == ["billing", "delivery"]
    assert details["confusion"] == [[1, 0], [1, 1]]
    assert [row["texts"] for row in details["reliability"]] == [1, 1, 1]


def test_only_annotated_types_count():
    example = {"entities": (Entity(0, 3, "person"),), "known_types": ("person",)}
    rows = [
        predicted(prediction(spans=[(0, 3, "person"), (4, 8, "product")]), **example),
        predicted(prediction(), **example),
    ]
    metrics = entity_metrics(rows)
    assert (metrics["texts"], metrics["entities"]) == (2, 2)
    assert (metrics["precision"], metrics["recall"]) == (1.0, 0.5)
    assert metrics["f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert entity_metrics([predicted(prediction(), intent="billing")]) is None


def test_a_set_has_the_heads_that_its_rows_have_labels_for():
    rows = [predicted(prediction(), sentiment="negative"), predicted(prediction(), sentiment="positive")]
    assert list(set_metrics(rows, TAXONOMY)) == ["sentiment"]


def test_selective_prediction_keeps_the_confident_texts():
    rows = [
        predicted(prediction("billing", confidence), intent="billing" if confidence > 0.5 else "delivery")
        for confidence in (0.95, 0.9, 0.8, 0.45)
    ]
    found = selective_prediction(head_predictions(rows, "intent", TAXONOMY.intents), 0.5)
    assert found["coverage"] == 0.75
    assert (found["accuracy"], found["accuracy_kept"], found["accuracy_flagged"]) == (0.75, 1.0, 0.0)
    assert found["curve"][0] == {"coverage": 0.5, "accuracy": 1.0}
    assert found["curve"][-1] == {"coverage": 1.0, "accuracy": 0.75}
    assert found["aurc"] == pytest.approx((0 + 0 + 0 + 0.25) / 4, abs=1e-4)


def test_slices_split_by_language_channel_length_and_irony():
    rows = [
        predicted(prediction(), text="short", language="en", channel="social", intent="billing"),
        predicted(
            prediction(), text="我的快递在哪里", language="zh", channel="complaint", intent="delivery", hard=True
        ),
        predicted(prediction(), text="x" * 300, intent="billing"),
    ]
    found = {(row["by"], row["slice"]): row for row in slice_metrics(rows, TAXONOMY)}
    assert found["language", "en"]["accuracy"] == 1.0
    assert found["language", "zh"]["accuracy"] == 0.0
    assert found["length", "1-20"]["texts"] == 2
    assert found["length", "over 200"]["texts"] == 1
    assert found["hard", "hard"]["texts"] == 1
    assert ("channel", "") not in found


@pytest.mark.parametrize(
    ("length", "name"), [(1, "1-20"), (20, "1-20"), (21, "21-60"), (200, "61-200"), (201, "over 200")]
)
def test_length_buckets(length, name):
    assert length_bucket("x" * length) == name


def test_a_limit_takes_evenly_spaced_rows():
    rows = [Row(Example(str(index), "s")) for index in range(10)]
    assert [row.example.text for row in EvalSet("s", rows).sample(3).rows] == ["0", "3", "6"]
    assert EvalSet("s", rows).sample(None).rows is rows
