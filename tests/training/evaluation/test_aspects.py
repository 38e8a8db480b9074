import pytest

from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy
from triage.training.evaluation.aspects import aspect_figures
from triage.training.evaluation.predictions import Predictions
from triage.training.evaluation.sets import Row
from triage.types import Aspect, Prediction

ASPECTS = ("delivery", "price", "quality")
TAXONOMY = Taxonomy("t", ("a", "b"), ("negative", "neutral", "positive"), ("person",), ASPECTS)


def judged(gold, said, known=ASPECTS):
    example = Example("a text", "s", aspects=None if gold is None else tuple(gold), known_aspects=known)
    aspects = [Aspect(label, polarity, 0.9) for label, polarity in said]
    return Predictions(Row(example), "s", Prediction([("a", 1.0)], {"negative": 1.0}, aspects=aspects))


def test_pairs_of_aspect_and_polarity():
    rows = [
        judged([("delivery", "negative"), ("price", "positive")], [("delivery", "negative"), ("price", "negative")]),
        judged([], [("quality", "positive")]),
        judged(None, [("quality", "positive")]),
    ]
    figures = aspect_figures(rows, TAXONOMY, ASPECTS)
    assert (figures["texts"], figures["pairs"]) == (2, 2)
    assert figures["precision"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["recall"] == 0.5
    assert figures["f1"] == pytest.approx(2 / 5, abs=1e-4)
    assert figures["detection_f1"] == pytest.approx(4 / 5, abs=1e-4)


def test_what_nobody_looked_for_and_what_is_torn_does_not_count():
    rows = [
        judged([("price", "positive")], [("price", "positive"), ("quality", "negative")], known=("price",)),
        judged([("price", "positive"), ("price", "negative")], [("price", "positive")], known=("price",)),
    ]
    figures = aspect_figures(rows, TAXONOMY, ASPECTS)
    assert figures["pairs"] == 1
    assert figures["f1"] == 1.0


def test_a_model_without_aspects_has_no_figures():
    assert aspect_figures([judged([("price", "positive")], [])], TAXONOMY, ()) is None
