import pytest

from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy
from triage.training.evaluation.metrics import aspect_metrics
from triage.training.evaluation.predictions import RowPrediction
from triage.training.evaluation.sets import Row
from triage.types import Aspect, Prediction

ASPECTS = ("delivery", "price", "quality")
TAXONOMY = Taxonomy("t", ("a", "b"), ("negative", "neutral", "positive"), ("person",), ASPECTS)


def predicted(gold, aspects_found, known=ASPECTS):
    example = Example("a text", "s", aspects=None if gold is None else tuple(gold), known_aspects=known)
    aspects = [Aspect(label, polarity, 0.9) for label, polarity in aspects_found]
    return RowPrediction(Row(example), "s", Prediction([("a", 1.0)], {"negative": 1.0}, aspects=aspects))


def test_pairs_of_aspect_and_polarity():
    rows = [
        predicted([("delivery", "negative"), ("price", "positive")], [("delivery", "negative"), ("price", "negative")]),
        predicted([], [("quality", "positive")]),
        predicted(None, [("quality", "positive")]),
    ]
    metrics = aspect_metrics(rows, TAXONOMY, ASPECTS)
    assert (metrics["texts"], metrics["pairs"]) == (2, 2)
    assert metrics["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert metrics["recall"] == 0.5
    assert metrics["f1"] == pytest.approx(2 / 5, abs=1e-4)
    assert metrics["detection_f1"] == pytest.approx(4 / 5, abs=1e-4)


def test_unannotated_and_contradictory_aspects_do_not_count():
    rows = [
        predicted([("price", "positive")], [("price", "positive"), ("quality", "negative")], known=("price",)),
        predicted([("price", "positive"), ("price", "negative")], [("price", "positive")], known=("price",)),
    ]
    metrics = aspect_metrics(rows, TAXONOMY, ASPECTS)
    assert metrics["pairs"] == 1
    assert metrics["f1"] == 1.0


def test_a_model_without_aspects_has_no_metrics():
    assert aspect_metrics([predicted([("price", "positive")], [])], TAXONOMY, ()) is None
