"""ONNX Runtime on the CPU and on CUDA."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import ConfigError, MissingExtraError, ModelError
from triage.inference.packages import ONNXRUNTIME_CPU, ONNXRUNTIME_GPU, installed
from triage.inference.session import Logits

_OUTPUTS = ["intent_logits", "sentiment_logits", "entity_logits"]
_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"


class CpuSession:
    """ONNX Runtime's CPU provider in fp32."""

    device = "cpu"
    precision = "fp32"

    def __init__(self, model: Path, threads: int) -> None:
        ort = _import("cpu")
        self.threads = threads
        self.runtime = f"onnxruntime {ort.__version__}"
        self._session = _create(ort, model, threads, [_CPU])

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        return _run(self._session, input_ids, attention_mask)


class CudaSession:
    """ONNX Runtime's CUDA provider; refuses to be a CPU session under another name."""

    device = "cuda"
    precision = "fp32"

    def __init__(self, model: Path, threads: int) -> None:
        if installed(ONNXRUNTIME_CPU) and not installed(ONNXRUNTIME_GPU):
            raise ConfigError(
                "model.device is cuda, but the installed onnxruntime has no CUDA: "
                "pip uninstall -y onnxruntime && pip install 'triage[gpu]'"
            )
        ort = _import("gpu")
        # Finds the CUDA and cuDNN libraries of the nvidia-* wheels, which are on no library path.
        ort.preload_dlls()
        self.threads = threads
        self.runtime = f"onnxruntime {ort.__version__}"
        self._session = _create(ort, model, threads, [_CUDA, _CPU])
        # ONNX Runtime goes on with the CPU and one log line when CUDA does not load.
        in_use = self._session.get_providers()
        if _CUDA not in in_use:
            raise ModelError(
                f"model.device is cuda, but {model} runs on {', '.join(in_use)}: check the driver with nvidia-smi and "
                "that 'triage[gpu]' is installed, or set model.device = cpu, or model.allow_fallback = true"
            )

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        return _run(self._session, input_ids, attention_mask)


def _import(extra: str) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("the model", extra) from error
    if not hasattr(onnxruntime, "InferenceSession"):
        raise ConfigError(
            "onnxruntime is damaged, as it is after one of two builds was uninstalled: "
            f"pip install --force-reinstall --no-deps {ONNXRUNTIME_GPU if extra == 'gpu' else ONNXRUNTIME_CPU}"
        )
    return onnxruntime


def _create(ort: Any, model: Path, threads: int, providers: list[str]) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Every batch has its own shape; a remembered memory plan a shape would only grow.
    options.enable_mem_pattern = False
    # Weights are int8 for storage only: without this they are dequantized again in every run.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        # With its fallback on, the library retries on the CPU and prints that to standard output.
        return ort.InferenceSession(str(model), options, providers=providers, enable_fallback=0)
    except Exception as error:  # the runtime's errors share no base class
        raise ModelError(f"{model} cannot be loaded with {providers[0]}: {error}") from error


def _run(session: Any, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
    try:
        return Logits(*session.run(_OUTPUTS, {"input_ids": input_ids, "attention_mask": attention_mask}))
    except Exception as error:  # the runtime's errors share no base class
        raise ModelError(f"the model failed on a batch of shape {input_ids.shape}: {error}") from error
