"""One interface over the runtimes, and the choice of the one that serves."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from triage.config import ModelSettings
from triage.errors import MissingExtraError, TriageError
from triage.inference.hardware import available_cores, has_amx_bf16
from triage.inference.packages import ONNXRUNTIME_CPU, ONNXRUNTIME_GPU, OPENVINO, check_packages, installed
from triage.logging import get_logger

_log = get_logger(__name__)


class Logits(NamedTuple):
    """What the graph returns for a batch, float32."""

    intent: NDArray[np.float32]  # [batch, intents]
    sentiment: NDArray[np.float32]  # [batch, 3]
    entity: NDArray[np.float32]  # [batch, seq, tags]


class Session(Protocol):
    """A graph loaded on a device; `run` may be called from several threads at once."""

    runtime: str  # name and version
    device: str  # cpu or cuda
    precision: str  # fp32, bf16
    threads: int  # intra-op threads on the CPU

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        """Logits of one padded batch, both inputs [batch, seq]. Blocks; raises ModelError if the runtime fails."""
        ...


def open_session(model: Path, settings: ModelSettings) -> Session:
    """Load `model` on the device of the settings.

    `auto` is CUDA where onnxruntime-gpu is installed and a GPU is really in use, OpenVINO where it is installed and
    the CPU has amx_bf16, else ONNX Runtime on the CPU. A device asked for by name is that device or an error,
    unless `allow_fallback`.

    Raises ConfigError for packages that break each other, MissingExtraError for one that is missing, ModelError if
    the graph cannot be loaded or the device is not in use.
    """
    check_packages()
    threads = settings.threads or available_cores()
    if settings.device == "auto":
        return _open_best(model, threads)
    try:
        return _open(settings.device, model, threads)
    except TriageError as error:
        if not settings.allow_fallback or settings.device == "cpu":
            raise
        _log.warning("model_device_fallback", asked_for=settings.device, using="cpu", reason=str(error))
        return _open(_cpu_runtime(), model, threads)


def _open_best(model: Path, threads: int) -> Session:
    if installed(ONNXRUNTIME_GPU):
        try:
            return _open("cuda", model, threads)
        except TriageError as error:
            _log.warning("model_device_fallback", asked_for="auto", using="cpu", reason=str(error))
    return _open(_cpu_runtime(), model, threads)


def _cpu_runtime() -> str:
    onnxruntime = installed(ONNXRUNTIME_CPU) or installed(ONNXRUNTIME_GPU)
    if installed(OPENVINO) and (has_amx_bf16() or not onnxruntime):
        return "openvino"
    return "cpu"


def _open(device: str, model: Path, threads: int) -> Session:
    if device == "openvino":
        if not installed(OPENVINO):
            raise MissingExtraError("model.device = openvino", "openvino")
        from triage.inference.openvino_session import OpenVinoSession

        return OpenVinoSession(model, threads)
    from triage.inference.onnxruntime_session import CpuSession, CudaSession

    return CudaSession(model, threads) if device == "cuda" else CpuSession(model, threads)
