"""The tiny model from end to end: its labels are arbitrary, the shape of its predictions is tested."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from triage.config import ModelSettings
from triage.errors import ModelError
from triage.inference.model import OnnxModel
from triage.metrics import Metrics
from triage.types import Model, Prediction

TEXTS = [
    "My parcel from Amazon is three days late and nobody answers the phone.",
    "快递三天还没到，客服李小姐的态度太差了！",
    "ok",
    "",
    "   ",
    "👍👍👍",
    "مرحبا أين طلبي",
    "Broken\x00screen\r\n\ttwice </s> <pad> <mask>",
    "the Zürich café charged me €4.50 " * 12,
    "x" * 5000,
]


def load(folder, **settings):
    return OnnxModel.load(ModelSettings(path=folder, device="cpu", threads=1, **settings))


@pytest.fixture(scope="module")
def model(tiny_folder):
    return load(tiny_folder)


def same(left: Prediction, right: Prediction):
    assert dict(left.intents) == pytest.approx(dict(right.intents), abs=1e-4)
    assert left.sentiment == pytest.approx(right.sentiment, abs=1e-4)
    assert [(s.start, s.end, s.label) for s in left.spans] == [(s.start, s.end, s.label) for s in right.spans]
    assert left.truncated == right.truncated


def test_is_a_model(model):
    checked: Model = model
    assert checked.version == f"{model.manifest.name}@{model.manifest.version}"
    assert checked.taxonomy == model.manifest.taxonomy
    assert model.languages == {"en", "zh"}


def test_every_text_gets_a_complete_prediction(model):
    predictions = model.predict(TEXTS)
    assert len(predictions) == len(TEXTS)
    for text, prediction in zip(TEXTS, predictions, strict=True):
        assert {label for label, _ in prediction.intents} == set(model.manifest.intents)
        confidences = [p for _, p in prediction.intents]
        assert confidences == sorted(confidences, reverse=True)
        assert sum(confidences) == pytest.approx(1)
        assert set(prediction.sentiment) == {"negative", "neutral", "positive"}
        assert sum(prediction.sentiment.values()) == pytest.approx(1)
        for span in prediction.spans:
            assert 0 <= span.start < span.end <= len(text)
            assert text[span.start : span.end].strip() == text[span.start : span.end]
            assert f"B-{span.label}" in model.manifest.entity_tags
            assert 0 < span.confidence <= 1
            assert span.source == "model"


def test_a_prediction_does_not_depend_on_the_batch(model, tiny_folder):
    together = model.predict(TEXTS)
    tight = load(tiny_folder, batch_tokens=64).predict(TEXTS[::-1])[::-1]
    for text, one, other in zip(TEXTS, together, tight, strict=True):
        same(one, other)
        same(one, model.predict([text])[0])


def test_no_texts(model):
    assert model.predict([]) == []


def test_long_texts_are_cut_and_flagged(tiny_folder):
    short, long = load(tiny_folder, max_tokens=16, max_windows=1).predict(["late", "late again " * 50])
    assert (short.truncated, long.truncated) == (False, True)
    assert all(span.end < 300 for span in long.spans)


def test_low_confidence_follows_the_manifest(folder, edit_manifest):
    edit_manifest(low_confidence={"intent": 1.0, "sentiment": 0.0})
    assert load(folder).predict(["late"])[0].low_confidence
    edit_manifest(low_confidence={"intent": 0.0, "sentiment": 0.0})
    assert not load(folder).predict(["late"])[0].low_confidence


def test_threads_share_one_model(model):
    expected = model.predict(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for predictions in pool.map(lambda _: model.predict(TEXTS), range(12)):
            for one, other in zip(expected, predictions, strict=True):
                same(one, other)


def test_fill_ratio_is_recorded(tiny_folder):
    metrics = Metrics()
    model = OnnxModel.load(ModelSettings(path=tiny_folder, device="cpu", threads=1), metrics)
    model.predict(["ok", "a much longer text about a parcel that is late"])
    assert 0 < metrics.registry.get_sample_value("triage_batch_fill_ratio") < 1


def test_the_start_log_names_model_device_and_runtime(tiny_folder):
    with structlog.testing.capture_logs() as logs:
        described = load(tiny_folder).describe()
    assert {"event": "model_loaded", "log_level": "info", **described} in logs
    assert described["device"] == "cpu"
    assert described["threads"] == 1
    assert described["precision"] == "fp32"


def test_a_graph_that_does_not_fit_its_manifest_is_refused_at_load(folder, edit_manifest):
    edit_manifest(intents=["only", "two"])
    with pytest.raises(ModelError, match=r"does not run: intent_logits is .*manifest\.json are not of one export"):
        load(folder)


def test_a_damaged_graph_is_refused_at_load(folder):
    (folder / "model.onnx").write_bytes(b"")
    with pytest.raises(ModelError, match=r"model\.onnx is damaged: 0 bytes"):
        load(folder)


def test_serving_imports_no_training_library():
    code = (
        "import sys, triage.inference.model, triage.inference.session, triage.inference.onnxruntime_session, "
        "triage.inference.openvino_session, triage.inference.language; "
        "loaded = {'torch', 'transformers', 'optimum', 'onnx'} & set(sys.modules); assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
