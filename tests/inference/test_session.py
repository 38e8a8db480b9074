"""The chosen runtime, and that the device in use is the requested one.

Runtimes and GPUs are simulated by the list of installed packages and a stand-in module; test_runtimes.py has the real
ones.
"""

import sys
from types import SimpleNamespace

import pytest
import structlog

from triage.config import ModelSettings
from triage.errors import ConfigError, MissingExtraError, ModelError
from triage.inference import onnxruntime_session, packages, session
from triage.inference.onnxruntime_session import CpuSession
from triage.inference.openvino_session import OpenVinoSession
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
        return SimpleNamespace(get_providers=lambda: in_use, get_outputs=list)


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
    return open_session(tmp_path / "model.onnx", ModelSettings(**{"precision": "fp32"} | settings))


def test_auto_takes_cuda_when_it_is_in_use(install, tmp_path):
    module = install("onnxruntime-gpu", module=FakeOnnxRuntime(CUDA))
    assert opened(tmp_path).device == "cuda"
    assert module.preloaded == 1


@pytest.mark.parametrize("in_use", [CPU, RuntimeError("CUDA failure 100: no CUDA-capable device")])
def test_auto_falls_back_to_the_cpu_with_a_warning_when_cuda_is_not_in_use(install, tmp_path, in_use):
    install("onnxruntime-gpu", module=FakeOnnxRuntime(in_use))
    with structlog.testing.capture_logs() as logs:
        assert opened(tmp_path).device == "cpu"
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("model_device_fallback", "warning")]


@pytest.mark.parametrize("in_use", [CPU, RuntimeError("CUDA failure 100: no CUDA-capable device")])
def test_cuda_that_is_not_in_use_is_an_error(install, tmp_path, in_use):
    install("onnxruntime-gpu", module=FakeOnnxRuntime(in_use))
    with pytest.raises(ModelError, match=r"cuda|CUDA"):
        opened(tmp_path, device="cuda")


def test_cuda_not_in_use_names_the_fix(install, tmp_path):
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
    with pytest.raises(MissingExtraError, match=rf"pip install 'triage-feedback\[{extra}\]'"):
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
    ("names", "bf16", "precision", "expected"),
    [
        (("onnxruntime",), True, "auto", "cpu"),
        (("onnxruntime", "openvino"), True, "auto", "openvino"),
        (("onnxruntime", "openvino"), False, "auto", "cpu"),
        (("openvino",), False, "auto", "openvino"),
        (("onnxruntime", "openvino"), True, "fp32", "cpu"),
        (("openvino",), True, "fp32", "openvino"),
        (("onnxruntime", "openvino"), True, "fp16", "cpu"),
        (("onnxruntime",), True, "bf16", "openvino"),
        (("onnxruntime", "openvino"), False, "int8", "openvino"),
        (("onnxruntime-gpu", "openvino"), True, "bf16", "openvino"),
        (("onnxruntime-gpu",), True, "auto", "cuda"),
    ],
)
def test_the_fastest_runtime_that_has_the_precision_is_taken(
    install, monkeypatch, tmp_path, names, bf16, precision, expected
):
    install(*names)
    monkeypatch.setattr(session, "has_fast_bf16", lambda: bf16)
    monkeypatch.setattr(session, "_open", lambda device, model, settings: device)
    assert opened(tmp_path, precision=precision) == expected


@pytest.mark.parametrize(
    ("device", "precision", "bf16", "message"),
    [
        ("cpu", "bf16", True, "precision is bf16, but ONNX Runtime on the CPU .* computes in fp32 or fp16"),
        ("cuda", "int8", True, "precision is int8, but ONNX Runtime on CUDA .* computes in fp16 or fp32"),
        ("openvino", "fp16", True, "precision is fp16, but OpenVINO .* computes in bf16 or fp32 or int8"),
        ("openvino", "bf16", False, "this CPU has neither amx_bf16 nor avx512_bf16"),
        ("auto", "bf16", False, "this CPU has neither amx_bf16 nor avx512_bf16"),
    ],
)
def test_an_unsupported_precision_is_refused(install, monkeypatch, tmp_path, device, precision, bf16, message):
    install("onnxruntime", "openvino", module=FakeOnnxRuntime(CPU))
    monkeypatch.setattr(session, "has_fast_bf16", lambda: bf16)
    with pytest.raises(ConfigError, match=message):
        opened(tmp_path, device=device, precision=precision)


def test_a_precision_without_its_runtime_names_the_extra(install, tmp_path):
    install("onnxruntime", module=FakeOnnxRuntime(CPU))
    with pytest.raises(MissingExtraError, match=r"model\.precision = int8 needs the extra 'openvino'"):
        opened(tmp_path, precision="int8")


def test_fallback_from_openvino_uses_onnx_runtime(install, tmp_path):
    install("onnxruntime", module=FakeOnnxRuntime(CPU))
    with structlog.testing.capture_logs() as logs:
        assert isinstance(opened(tmp_path, device="openvino", allow_fallback=True), CpuSession)
    assert [(entry["event"], entry["using"]) for entry in logs] == [
        ("model_device_fallback", "ONNX Runtime on the CPU")
    ]


def test_openvino_in_another_precision_than_requested_is_an_error(monkeypatch, tmp_path):
    compiled = SimpleNamespace(get_property={"EXECUTION_DEVICES": ["CPU"], "INFERENCE_PRECISION_HINT": "f32"}.get)
    core = SimpleNamespace(read_model=str, compile_model=lambda model, device, options: compiled)
    types = SimpleNamespace(f32="f32", bf16="bf16")
    manager = SimpleNamespace(register_pass=lambda chosen: None, run_passes=lambda graph: None)
    passes = SimpleNamespace(ConstantFolding=object, Manager=lambda: manager)
    monkeypatch.setitem(sys.modules, "openvino.passes", passes)
    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=lambda: core, Type=types))
    with pytest.raises(ModelError, match=r"was to run on OpenVINO's CPU device in bf16, but runs on .* in f32"):
        OpenVinoSession(tmp_path / "model.onnx", 1, 1, "bf16")


def test_threads_default_to_the_available_cores(install, monkeypatch, tmp_path):
    install("onnxruntime", module=FakeOnnxRuntime(CPU))
    monkeypatch.setattr(session, "available_cores", lambda: 7)
    assert opened(tmp_path).threads == 7
    assert opened(tmp_path, threads=3).threads == 3


def test_streams_divide_the_threads(install, monkeypatch, tmp_path):
    install("onnxruntime", module=FakeOnnxRuntime(CPU))
    monkeypatch.setattr(session, "available_cores", lambda: 12)
    assert (opened(tmp_path).streams, opened(tmp_path, threads=3).streams, opened(tmp_path, streams=2).streams) == (
        8,
        3,
        2,
    )
