import pytest

from triage.training.data.examples import Entity, Example
from triage.training.data.labels import Taxonomy
from triage.training.evaluation.metrics import entity_figures, label_details, label_figures, set_figures
from triage.training.evaluation.predictions import Predictions, answers
from triage.training.evaluation.selective_prediction import abstention
from triage.training.evaluation.sets import EvalSet, Row
from triage.training.evaluation.slices import length_bucket, slice_figures
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


def judged(said, text="a text", **labels):
    row = {name: labels.pop(name) for name in ("language", "channel", "hard") if name in labels}
    return Predictions(Row(Example(text, "s", **labels), **row), "s", said)


def test_label_figures_and_details():
    rows = [
        judged(prediction("billing", 0.9), intent="billing"),
        judged(prediction("billing", 0.7), intent="delivery"),
        judged(prediction("delivery", 0.6), intent="delivery"),
        judged(prediction(), sentiment="negative"),
    ]
    said = answers(rows, "intent", TAXONOMY.intents)
    figures = label_figures(said)
    assert figures["texts"] == 3
    assert figures["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["macro_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["ece"] == pytest.approx((0.1 + 0.7 + 0.4) / 3, abs=1e-4)
    assert set(figures["interval"]) == {"accuracy", "macro_f1", "macro_recall", "ece"}
    details = label_details(said)
    assert details["labels"] == ["billing", "delivery"]
    assert details["confusion"] == [[1, 0], [1, 1]]
    assert [row["texts"] for row in details["reliability"]] == [1, 1, 1]


def test_only_types_that_a_corpus_tags_count():
    example = {"entities": (Entity(0, 3, "person"),), "known_types": ("person",)}
    rows = [judged(prediction(spans=[(0, 3, "person"), (4, 8, "product")]), **example), judged(prediction(), **example)]
    figures = entity_figures(rows)
    assert (figures["texts"], figures["entities"]) == (2, 2)
    assert (figures["precision"], figures["recall"]) == (1.0, 0.5)
    assert figures["f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert entity_figures([judged(prediction(), intent="billing")]) is None


def test_a_set_has_the_heads_that_its_rows_have_labels_for():
    rows = [judged(prediction(), sentiment="negative"), judged(prediction(), sentiment="positive")]
    assert list(set_figures(rows, TAXONOMY)) == ["sentiment"]


def test_abstaining_keeps_the_certain():
    rows = [
        judged(prediction("billing", confidence), intent="billing" if confidence > 0.5 else "delivery")
        for confidence in (0.95, 0.9, 0.8, 0.45)
    ]
    cost = abstention(answers(rows, "intent", TAXONOMY.intents), 0.5)
    assert cost["coverage"] == 0.75
    assert (cost["accuracy"], cost["accuracy_kept"], cost["accuracy_flagged"]) == (0.75, 1.0, 0.0)
    assert cost["curve"][0] == {"coverage": 0.5, "accuracy": 1.0}
    assert cost["curve"][-1] == {"coverage": 1.0, "accuracy": 0.75}
    assert cost["aurc"] == pytest.approx((0 + 0 + 0 + 0.25) / 4, abs=1e-4)


def test_slices_split_by_language_channel_length_and_irony():
    rows = [
        judged(prediction(), text="short", language="en", channel="social", intent="billing"),
        judged(prediction(), text="我的快递在哪里", language="zh", channel="complaint", intent="delivery", hard=True),
        judged(prediction(), text="x" * 300, intent="billing"),
    ]
    found = {(row["by"], row["slice"]): row for row in slice_figures(rows, TAXONOMY)}
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


def test_a_limit_takes_rows_from_all_over_a_set():
    rows = [Row(Example(str(index), "s")) for index in range(10)]
    assert [row.example.text for row in EvalSet("s", rows).spread(3).rows] == ["0", "3", "6"]
    assert EvalSet("s", rows).spread(None).rows is rows
