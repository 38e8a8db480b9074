"""Predictions that are kept for equal texts: which texts the model reads, and when it reads them again."""

import pytest
from doubles import WordModel

from triage.errors import ModelError
from triage.metrics import Metrics
from triage.pipeline.stages.prediction_cache import LONGEST_TEXT, PredictionCache


def _by_text(cache, model, *texts):
    return [prediction.intents[0][0] for prediction in cache.predict(model, texts)]


def test_a_text_is_read_once_and_answered_in_its_place():
    cache, model = PredictionCache(10), WordModel()
    assert _by_text(cache, model, "my parcel", "I love it", "my parcel") == ["delivery", "praise", "delivery"]
    assert _by_text(cache, model, "I love it", "hello", "my parcel") == ["praise", "other", "delivery"]
    assert model.calls == [["my parcel", "I love it"], ["hello"]]


def test_only_the_exact_text_counts():
    cache, model = PredictionCache(10), WordModel()
    cache.predict(model, ["my parcel", "My parcel", "my parcel "])
    assert model.calls == [["my parcel", "My parcel", "my parcel "]]


def test_the_texts_used_last_stay():
    cache, model = PredictionCache(2), WordModel()
    cache.predict(model, ["a", "b"])
    cache.predict(model, ["a"])
    cache.predict(model, ["c"])
    cache.predict(model, ["a", "b"])
    assert model.calls == [["a", "b"], ["c"], ["b"]]


def test_a_batch_larger_than_the_cache_is_answered():
    cache, model = PredictionCache(1), WordModel()
    assert _by_text(cache, model, "my parcel", "I love it", "hello") == ["delivery", "praise", "other"]


def test_another_model_reads_everything_again_even_of_the_same_version():
    cache, before, after = PredictionCache(10), WordModel(), WordModel()
    cache.predict(before, ["a"])
    cache.predict(after, ["a"])
    cache.predict(after, ["a"])
    assert (before.calls, after.calls) == ([["a"]], [["a"]])


def test_a_model_that_was_replaced_in_mid_call_leaves_nothing_behind():
    cache, after = PredictionCache(10), WordModel()

    class _Replaced(WordModel):
        def predict(self, texts):
            cache.predict(after, ["b"])
            return super().predict(texts)

    cache.predict(_Replaced(), ["a"])
    cache.predict(after, ["a", "b"])
    assert after.calls == [["b"], ["a"]]


def test_long_texts_are_not_kept_but_a_batch_reads_copies_once():
    cache, model, long = PredictionCache(10), WordModel(), "x" * (LONGEST_TEXT + 1)
    cache.predict(model, [long, long])
    cache.predict(model, [long])
    assert model.calls == [[long], [long]]


def test_size_0_asks_the_model_every_time():
    cache, model = PredictionCache(0), WordModel()
    cache.predict(model, ["a", "a"])
    cache.predict(model, ["a"])
    assert model.calls == [["a", "a"], ["a"]]


def test_nothing_is_kept_of_a_call_that_fails():
    cache, model = PredictionCache(10), WordModel()

    class _Broken(WordModel):
        def predict(self, texts):
            raise ModelError("out of memory")

    with pytest.raises(ModelError, match="out of memory"):
        cache.predict(_Broken(), ["a"])
    cache.predict(model, ["a"])
    assert model.calls == [["a"]]


def test_an_empty_batch_asks_nothing():
    model = WordModel()
    assert PredictionCache(10).predict(model, []) == []
    assert model.calls == []


def test_metrics_tell_computed_and_cached_texts():
    metrics = Metrics()
    cache, model = PredictionCache(10, metrics), WordModel()
    cache.predict(model, ["a", "b", "a"])
    cache.predict(model, ["a"])
    counted = {
        origin: metrics.registry.get_sample_value("triage_model_texts_total", {"origin": origin})
        for origin in ("computed", "cached")
    }
    assert counted == {"computed": 2, "cached": 2}
