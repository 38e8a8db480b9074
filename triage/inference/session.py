"""Chooses the runtime that serves the model and opens a session on it."""

from pathlib import Path

from triage.config import ModelSettings
from triage.errors import ConfigError, MissingExtraError, TriageError
from triage.inference.hardware import available_cores, has_fast_bf16
from triage.inference.packages import ONNXRUNTIME_CPU, ONNXRUNTIME_GPU, OPENVINO, check_packages, installed
from triage.inference.precision_variants import cached_variant
from triage.inference.runtime import Session
from triage.logging import get_logger

_log = get_logger(__name__)
_MOST_STREAMS = 8
_GPU_STREAMS = 2  # one call computes while the texts of the other are prepared and its logits are decoded
_PRECISIONS = {"cpu": ("fp32", "fp16"), "cuda": ("fp16", "fp32"), "openvino": ("bf16", "fp32", "int8")}
_NAMES = {"cpu": "ONNX Runtime on the CPU", "cuda": "ONNX Runtime on CUDA", "openvino": "OpenVINO"}


def open_session(model: Path, settings: ModelSettings) -> Session:
    """Load `model` on the device of the settings.

    `auto` selects CUDA if onnxruntime-gpu is installed and the session really runs on a GPU; OpenVINO if it is
    installed and the CPU multiplies bf16; else ONNX Runtime on the CPU, or OpenVINO if ONNX Runtime is not installed.
    `auto` precision is fp16 on CUDA, bf16 with OpenVINO on a CPU with bf16, else fp32. A device or precision requested
    by name is used or refused; with `allow_fallback` a device that cannot be used is replaced, with a warning. The fp16
    variant is converted from `model` at the first start (see precision_variants).

    Raises ConfigError for conflicting packages and for a precision that the device does not have, MissingExtraError for
    a missing package, ModelError if the graph cannot be loaded or the device cannot be used.
    """
    check_packages()
    if settings.device == "auto":
        return _open_best(model, settings)
    try:
        return _open(settings.device, model, settings)
    except TriageError as error:
        if not settings.allow_fallback or settings.device == "cpu":
            raise
        using = _cpu_runtime("auto") if settings.device == "cuda" else "cpu"
        _log.warning("model_device_fallback", asked_for=settings.device, using=_NAMES[using], reason=str(error))
        return _open(using, model, settings.model_copy(update={"precision": "auto"}))


def _open_best(model: Path, settings: ModelSettings) -> Session:
    if installed(ONNXRUNTIME_GPU) and settings.precision in {"auto", *_PRECISIONS["cuda"]}:
        try:
            return _open("cuda", model, settings)
        except TriageError as error:
            using = _cpu_runtime(settings.precision)
            _log.warning("model_device_fallback", asked_for="auto", using=_NAMES[using], reason=str(error))
    return _open(_cpu_runtime(settings.precision), model, settings)


def _cpu_runtime(precision: str) -> str:
    """Name of the faster installed runtime that computes in `precision`: `cpu` (ONNX Runtime) or `openvino`."""
    onnxruntime = installed(ONNXRUNTIME_CPU) or installed(ONNXRUNTIME_GPU)
    if precision == "auto":
        return "openvino" if installed(OPENVINO) and (has_fast_bf16() or not onnxruntime) else "cpu"
    if precision in _PRECISIONS["cpu"] and (onnxruntime or precision not in _PRECISIONS["openvino"]):
        return "cpu"
    return "openvino" if precision in {"bf16", "int8"} or installed(OPENVINO) else "cpu"


def _open(device: str, model: Path, settings: ModelSettings) -> Session:
    threads = settings.threads or available_cores()
    streams = settings.streams or (_GPU_STREAMS if device == "cuda" else min(threads, _MOST_STREAMS))
    precision = _precision(device, settings.precision)
    if device == "openvino":
        if not installed(OPENVINO):
            setting = "device = openvino" if settings.device == "openvino" else f"precision = {precision}"
            raise MissingExtraError(f"model.{setting}", "openvino")
        from triage.inference.openvino_session import OpenVinoSession

        return OpenVinoSession(model, threads, streams, precision)
    from triage.inference.onnxruntime_session import CpuSession, CudaSession

    session = CudaSession if device == "cuda" else CpuSession
    fp16_graph = (lambda: cached_variant("fp16", model, settings.cache_dir)) if precision == "fp16" else None
    return session(model, threads, streams, fp16_graph)


def _precision(device: str, requested: str) -> str:
    """The precision to compute in. Raises ConfigError if the device or this CPU does not support `requested`."""
    bf16 = device == "openvino" and has_fast_bf16()
    if requested == "auto":
        return "bf16" if bf16 else "fp16" if device == "cuda" else "fp32"
    if requested not in _PRECISIONS[device]:
        raise ConfigError(
            f"model.precision is {requested}, but {_NAMES[device]} (model.device) computes in "
            f"{' or '.join(_PRECISIONS[device])}; set one of these, or another device"
        )
    if requested == "bf16" and not bf16:
        raise ConfigError(
            "model.precision is bf16, but this CPU has neither amx_bf16 nor avx512_bf16 (/proc/cpuinfo); "
            "set model.precision = auto"
        )
    return requested
