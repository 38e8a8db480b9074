"""A shadow model is compared without affecting the live one: skipped when busy, turned off when it fails."""

import random
import threading

import pytest
import structlog
from doubles import WordModel

from triage.errors import ModelError
from triage.inference.compare import compare_models, distance
from triage.inference.shadow import Shadow
from triage.metrics import Metrics
from triage.types import Prediction, Span

TEXTS = ["My parcel never came", "I love Acme", "maybe"]


class Gloomy(WordModel):
    """Agrees on intents and predicts negative for every text; raises for the next `broken` calls."""

    version = "gloomy@2"
    broken = 0

    def predict(self, texts):
        if self.broken:
            self.broken -= 1
            raise ModelError("out of memory")
        found = super().predict(texts)
        return [Prediction(one.intents, {"negative": 0.8, "neutral": 0.1, "positive": 0.1}) for one in found]


@pytest.fixture
def start(clock):
    shadows = []

    def make(model, share=1.0, max_texts=100, load=None):
        metrics = Metrics()
        shadow = Shadow(load or (lambda: model), share, max_texts, metrics, clock, random.Random(1))
        shadow.value = lambda name, **labels: metrics.registry.get_sample_value(f"triage_{name}", labels)
        shadow.start()
        shadows.append(shadow)
        return shadow

    yield make
    for shadow in shadows:
        shadow.close()


def _offer(shadow, times=1, texts=TEXTS):
    live = WordModel()
    for _ in range(times):
        shadow.offer(live.version, texts, live.predict(texts))
        shadow.wait()


def test_disagreements_are_counted_by_head(start):
    shadow = start(Gloomy())
    _offer(shadow, 2)
    assert shadow.value("shadow_texts_total") == 6
    assert shadow.value("shadow_disagreements_total", head="sentiment") == 4
    assert shadow.value("shadow_disagreements_total", head="entities") == 2
    assert shadow.value("shadow_disagreements_total", head="intent") is None
    assert shadow.value("shadow_seconds_count") == 2
    with structlog.testing.capture_logs() as logs:
        shadow.close()
    assert logs[-1]["event"] == "shadow_summary"
    assert logs[-1]["agreement"] == {"intent": 1.0, "sentiment": 0.3333, "entities": 0.6667, "risks": 1.0}
    assert (logs[-1]["live"], logs[-1]["shadow"], logs[-1]["texts"]) == ("words@1", "gloomy@2", 6)


def test_the_share_and_the_limit_of_texts_are_kept(start):
    shadow = start(Gloomy(), share=0.25, max_texts=2)
    _offer(shadow, 200)
    assert 30 <= shadow.value("shadow_texts_total") / 2 <= 70


def test_a_busy_shadow_is_skipped_and_never_waited_for(start):
    gate, entered = threading.Event(), threading.Event()

    class Slow(Gloomy):
        def predict(self, texts):
            entered.set()
            gate.wait(30)
            return super().predict(texts)

    shadow = start(Slow())
    live = WordModel()
    predictions = live.predict(TEXTS)
    shadow.offer(live.version, TEXTS, predictions)
    entered.wait(30)
    for _ in range(10):
        shadow.offer(live.version, TEXTS, predictions)
    gate.set()
    shadow.wait()
    assert shadow.value("shadow_skipped_total", reason="busy") == 9
    assert shadow.value("shadow_texts_total") == 6


def test_failures_are_counted_and_three_in_a_row_turn_it_off(start):
    model = Gloomy()
    model.broken = 2
    shadow = start(model)
    _offer(shadow, 3)
    assert shadow.value("shadow_texts_total") == 3
    model.broken = 10
    with structlog.testing.capture_logs() as logs:
        _offer(shadow, 3)
        shadow._thread.join(30)
    assert [entry["event"] for entry in logs].count("shadow_off") == 1
    assert shadow.value("shadow_skipped_total", reason="failed") == 5
    _offer(shadow, 3)
    assert shadow.value("shadow_texts_total") == 3


def test_a_shadow_that_cannot_be_loaded_is_logged_as_an_error(start):
    def load():
        raise ModelError("no model folder at /absent")

    with structlog.testing.capture_logs() as logs:
        shadow = start(None, load=load)
        shadow._thread.join(30)
        _offer(shadow, 3)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("shadow_refused", "error")]
    assert "no model folder" in logs[0]["reason"]


def test_compare_counts_and_lists_the_largest_differences():
    texts = ["I love it", "parcel", "My parcel never came", "Acme"] * 100
    result = compare_models(WordModel(), Gloomy(), texts, most=3)
    assert (result.texts, result.one, result.other) == (400, "words@1", "gloomy@2")
    heads = {head.head: head for head in result.heads}
    assert (heads["intent"].agreement, heads["intent"].mean_difference) == (1.0, 0.0)
    assert heads["sentiment"].agreement == 0.25
    assert [(change.one, change.other, change.texts) for change in heads["sentiment"].changes] == [
        ("positive", "negative", 300)
    ]
    assert [(c.one, c.other, c.texts) for c in heads["entities"].changes] == [("organization", "none", 100)]
    assert [difference.difference for difference in result.largest] == [0.8, 0.8, 0.8]
    assert [difference.text for difference in result.largest] == ["I love it", "parcel", "Acme"]


def test_a_span_that_moved_is_a_difference():
    one = Prediction([("a", 1.0)], {"negative": 1.0}, [Span(0, 4, "person", 0.9, "model")])
    other = Prediction([("a", 1.0)], {"negative": 1.0}, [Span(0, 5, "person", 0.9, "model")])

    class Fixed(WordModel):
        def __init__(self, prediction):
            self.prediction = prediction

        def predict(self, texts):
            return [self.prediction for _ in texts]

    assert {head.head: head.agreement for head in compare_models(Fixed(one), Fixed(other), ["x"]).heads} == {
        "intent": 1.0,
        "sentiment": 1.0,
        "entities": 0.0,
        "risks": 1.0,
    }


def test_comparing_no_texts_gives_none():
    assert compare_models(WordModel(), Gloomy(), []) is None


def test_distance_of_other_label_sets():
    assert distance({"a": 0.5, "b": 0.5}, {"a": 0.5, "c": 0.5}) == 0.5
