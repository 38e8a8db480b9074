"""Which runtime is chosen, and that the device in use is the one asked for.

GPUs and other runtimes are set up by what is installed and by a stand-in module; the CPU session is the real one.
"""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import structlog

from triage.config import ModelSettings
from triage.errors import ConfigError, MissingExtraError, ModelError
from triage.inference import onnxruntime_session, packages, session
from triage.inference.onnxruntime_session import CpuSession
from triage.inference.session import open_session


class FakeOnnxRuntime(SimpleNamespace):
    """The part of onnxruntime that a session uses; `in_use` is what get_providers() says after loading."""

    def __init__(self, in_use):
        super().__init__(__version__="9.9", preloaded=0, sessions=[])
        self.in_use = in_use

    def preload_dlls(self):
        self.preloaded += 1

    def SessionOptions(self):  # noqa: N802
        return SimpleNamespace(add_session_config_entry=lambda key, value: None)

    def InferenceSession(self, path, options, providers, enable_fallback):  # noqa: N802
        assert self.preloaded or providers == ["CPUExecutionProvider"]
        assert not enable_fallback
        self.sessions.append(providers)
        if isinstance(self.in_use, Exception) and "CUDAExecutionProvider" in providers:
            raise self.in_use
        in_use = providers if isinstance(self.in_use, Exception) else [p for p in providers if p in self.in_use]
        return SimpleNamespace(get_providers=lambda: in_use)


@pytest.fixture
def install(monkeypatch):
    """Make exactly these distributions installed, `onnxruntime` being this module."""

    def apply(*names, module=None):
        for place in (packages, session, onnxruntime_session):
            monkeypatch.setattr(place, "installed", lambda name: "9.9" if name in names else None)
        monkeypatch.setitem(sys.modules, "onnxruntime", module)
        return module

    return apply


CUDA = ("CUDAExecutionProvider", "CPUExecutionProvider")
CPU = ("CPUExecutionProvider",)


def opened(tmp_path, **settings):
    return open_session(tmp_path / "model.onnx", ModelSettings(**settings))


def test_real_cpu_session_computes(tiny_folder):
    running = open_session(tiny_folder / "model.onnx", ModelSettings(device="cpu", threads=1))
    assert isinstance(running, CpuSession)
    assert (running.device, running.threads, running.runtime.split()[0]) == ("cpu", 1, "onnxruntime")
    logits = running.run(np.array([[0, 4, 2]]), np.array([[1, 1, 1]]))
    assert [values.ndim for values in logits] == [2, 2, 3]
    assert logits.sentiment.shape == (1, 3)
    assert logits.entity.shape[:2] == (1, 3)


def test_real_session_errors_are_model_errors(tiny_folder, tmp_path):
    running = CpuSession(tiny_folder / "model.onnx", 1)
    with pytest.raises(ModelError, match=r"failed on a batch of shape \(1, 2\)"):
        running.run(np.array([[0, 2_000_000_000]]), np.array([[1, 1]]))
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"model\.onnx cannot be loaded with CPUExecutionProvider"):
        opened(tmp_path, device="cpu")


def test_auto_takes_cuda_when_it_is_in_use(install, tmp_path):
    module = install("onnxruntime-gpu", module=FakeOnnxRuntime(CUDA))
    assert opened(tmp_path).device == "cuda"
    assert module.preloaded == 1


@pytest.mark.parametrize("in_use", [CPU, RuntimeError("CUDA failure 100: no CUDA-capable device")])
def test_auto_goes_to_the_cpu_loudly_when_cuda_is_not_in_use(install, tmp_path, in_use):
    install("onnxruntime-gpu", module=FakeOnnxRuntime(in_use))
    with structlog.testing.capture_logs() as logs:
        assert opened(tmp_path).device == "cpu"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("model_device_fallback", "warning")]


@pytest.mark.parametrize("in_use", [CPU, RuntimeError("CUDA failure 100: no CUDA-capable device")])
def test_cuda_that_is_not_in_use_is_an_error(install, tmp_path, in_use):
    install("onnxruntime-gpu", module=FakeOnnxRuntime(in_use))
    with pytest.raises(ModelError, match=r"cuda|CUDA"):
        opened(tmp_path, device="cuda")


def test_cuda_not_in_use_says_what_to_do(install, tmp_path):
    install("onnxruntime-gpu", module=FakeOnnxRuntime(CPU))
    with pytest.raises(ModelError, match=r"runs on CPUExecutionProvider: check the driver.*allow_fallback = true"):
        opened(tmp_path, device="cuda")


def test_fallback_is_allowed_by_setting(install, tmp_path):
    install("onnxruntime-gpu", module=FakeOnnxRuntime(CPU))
    with structlog.testing.capture_logs() as logs:
        assert opened(tmp_path, device="cuda", allow_fallback=True).device == "cpu"
    assert logs[0]["event"] == "model_device_fallback"
    assert logs[0]["asked_for"] == "cuda"


def test_cuda_with_the_build_for_cpus(install, tmp_path):
    install("onnxruntime", module=FakeOnnxRuntime(CPU))
    with pytest.raises(ConfigError, match="has no CUDA: pip uninstall -y onnxruntime"):
        opened(tmp_path, device="cuda")


@pytest.mark.parametrize(
    ("device", "extra"), [("auto", "cpu"), ("cpu", "cpu"), ("cuda", "gpu"), ("openvino", "openvino")]
)
def test_missing_runtime_names_the_extra(install, tmp_path, device, extra):
    install()
    with pytest.raises(MissingExtraError, match=rf"triage\[{extra}\]"):
        opened(tmp_path, device=device)


def test_damaged_onnxruntime(install, tmp_path):
    install("onnxruntime", module=SimpleNamespace())
    with pytest.raises(ConfigError, match=r"onnxruntime is damaged.*--force-reinstall"):
        opened(tmp_path)


def test_two_builds_are_refused_before_anything_loads(install, tmp_path):
    module = install("onnxruntime", "onnxruntime-gpu", module=FakeOnnxRuntime(CUDA))
    with pytest.raises(ConfigError, match="break each other"):
        opened(tmp_path)
    assert module.sessions == []


@pytest.mark.parametrize(
    ("names", "amx", "expected"),
    [
        (("onnxruntime",), True, "cpu"),
        (("onnxruntime", "openvino"), True, "openvino"),
        (("onnxruntime", "openvino"), False, "cpu"),
        (("openvino",), False, "openvino"),
    ],
)
def test_openvino_is_taken_where_it_is_faster_or_alone(install, monkeypatch, tmp_path, names, amx, expected):
    install(*names)
    monkeypatch.setattr(session, "has_amx_bf16", lambda: amx)
    monkeypatch.setattr(session, "_open", lambda device, model, threads: device)
    assert opened(tmp_path) == expected


def test_threads_default_to_the_cores_there_are(install, monkeypatch, tmp_path):
    install("onnxruntime", module=FakeOnnxRuntime(CPU))
    monkeypatch.setattr(session, "available_cores", lambda: 7)
    assert opened(tmp_path).threads == 7
    assert opened(tmp_path, threads=3).threads == 3
