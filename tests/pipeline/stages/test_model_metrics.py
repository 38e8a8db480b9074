"""Which model runs, and whether it fell back, as an operator reads it from /metrics."""

import pytest
from checkout import TINY_MODEL

from triage.config import ModelSettings
from triage.inference.model import OnnxModel
from triage.metrics import Metrics
from triage.pipeline.stages.model_metrics import fell_back, runs_on, show_model
from triage.runtime.health import Health, HealthServer
from triage.schemas.enriched import Versions


class Named:
    version, taxonomy, languages = "m@1", "1", frozenset()


@pytest.mark.parametrize(
    ("asked", "device", "runtime", "gpu_build", "fell"),
    [
        ("cuda", "cuda", "onnxruntime 1.22", "1.22", False),
        ("cuda", "cpu", "onnxruntime 1.22", "1.22", True),
        ("auto", "cpu", "onnxruntime 1.22", "1.22", True),
        ("auto", "cpu", "onnxruntime 1.22", None, False),
        ("openvino", "cpu", "OpenVINO 2025.3", None, False),
        ("openvino", "cpu", "onnxruntime 1.22", None, True),
        ("cpu", "cpu", "onnxruntime 1.22", "1.22", False),
    ],
)
def test_fallback_is_a_device_that_was_not_expected(asked, device, runtime, gpu_build, fell):
    assert fell_back(ModelSettings(device=asked), device, runtime, gpu_build) is fell


def test_only_the_model_in_force_is_shown():
    metrics = Metrics()
    for version in ("m@1", "m@2"):
        show_model(metrics, Named(), Versions("0.1.0", version, "r1", "1"), ModelSettings())
    (family,) = [found for found in metrics.registry.collect() if found.name == "triage_model_info"]
    assert [sample.labels["model"] for sample in family.samples] == ["m@2"]
    assert metrics.registry.get_sample_value("triage_model_fallback") == 0


def test_the_health_page_says_what_computes():
    model = OnnxModel.load(ModelSettings(path=TINY_MODEL, device="cpu", threads=2))
    runtime = runs_on(model).pop("runtime")
    assert runtime.startswith("onnxruntime ")
    assert runs_on(model) == {
        "device": "cpu", "runtime": runtime, "precision": "fp32", "threads": 2, "streams": 2
    }  # fmt: skip
    assert runs_on(Named()) == {}


def test_a_loop_that_stands_still_shows_in_the_metrics(clock):
    metrics, health = Metrics(), Health(clock)
    server = HealthServer(health, metrics, 0)
    try:
        health.beat()
        clock.advance(95)
        assert metrics.registry.get_sample_value("triage_seconds_since_progress") == 95
    finally:
        server._server.server_close()
