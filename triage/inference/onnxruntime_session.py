"""ONNX Runtime on the CPU and on CUDA."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import ConfigError, MissingExtraError, ModelError
from triage.inference.packages import ONNXRUNTIME_CPU, ONNXRUNTIME_GPU, installed
from triage.inference.runtime import Logits

_OUTPUTS = ["intent_logits", "sentiment_logits", "entity_logits"]
_OPTIONAL = "aspect_logits"
_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"


Halved = Callable[[], Path | bytes]
"""Gives the graph in fp16; asked only once the runtime has been found."""


class CpuSession:
    """ONNX Runtime's CPU provider in fp32; with `halved`, the GPU's fp16 graph, slowly: to compare the two."""

    device = "cpu"
    batch_tokens = 512
    widths: tuple[int, ...] = ()

    def __init__(self, model: Path, threads: int, streams: int = 1, halved: Halved | None = None) -> None:
        ort = _import("cpu")
        self.precision = "fp16" if halved else "fp32"
        self.threads, self.streams = threads, streams
        self.runtime = f"onnxruntime {ort.__version__}"
        self._session = _create(ort, model, max(threads // streams, 1), [_CPU], halved)
        self._outputs = _names(self._session)

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        return _run(self._session, self._outputs, input_ids, attention_mask)


class CudaSession:
    """ONNX Runtime's CUDA provider, in fp16 with `halved`; refuses to be a CPU session under another name.

    Inputs and outputs are bound, so that each is copied once between host and device and the host waits once a call.
    """

    device = "cuda"
    batch_tokens = 16_384
    widths: tuple[int, ...] = ()

    def __init__(self, model: Path, threads: int, streams: int = 1, halved: Halved | None = None) -> None:
        if installed(ONNXRUNTIME_CPU) and not installed(ONNXRUNTIME_GPU):
            raise ConfigError(
                "model.device is cuda, but the installed onnxruntime has no CUDA: "
                "pip uninstall -y onnxruntime && pip install 'triage-feedback[gpu]'"
            )
        ort = _import("gpu")
        # Finds the CUDA and cuDNN libraries of the nvidia-* wheels, which are on no library path.
        ort.preload_dlls()
        self.precision = "fp16" if halved else "fp32"
        self.threads, self.streams = threads, streams
        self.runtime = f"onnxruntime {ort.__version__}"
        self._session = _create(ort, model, threads, [_CUDA, _CPU], halved)
        self._outputs = _names(self._session)
        # ONNX Runtime goes on with the CPU and one log line when CUDA does not load.
        in_use = self._session.get_providers()
        if _CUDA not in in_use:
            raise ModelError(
                f"model.device is cuda, but {model} runs on {', '.join(in_use)}: check the driver with nvidia-smi and "
                "that the extra 'gpu' is installed, or set model.device = cpu, or model.allow_fallback = true"
            )

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        try:
            binding = self._session.io_binding()
            binding.bind_cpu_input("input_ids", input_ids)
            binding.bind_cpu_input("attention_mask", attention_mask)
            for name in self._outputs:
                binding.bind_output(name)
            self._session.run_with_iobinding(binding)
            return Logits(*binding.copy_outputs_to_cpu())
        except Exception as error:  # the runtime's errors share no base class
            raise _failed(input_ids, error) from error


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


def _create(ort: Any, model: Path, threads: int, providers: list[str], halved: Halved | None) -> Any:
    graph = halved() if halved else model
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
        return ort.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph), options, providers=providers, enable_fallback=0
        )
    except Exception as error:  # the runtime's errors share no base class
        named = model if isinstance(graph, bytes) else graph
        raise ModelError(f"{named} cannot be loaded with {providers[0]}: {error}") from error


def _names(session: Any) -> list[str]:
    """Outputs to ask for: those that every model has, and aspects where the graph has them."""
    has_aspects = any(output.name == _OPTIONAL for output in session.get_outputs())
    return [*_OUTPUTS, _OPTIONAL] if has_aspects else _OUTPUTS


def _run(session: Any, names: list[str], input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
    try:
        return Logits(*session.run(names, {"input_ids": input_ids, "attention_mask": attention_mask}))
    except Exception as error:  # the runtime's errors share no base class
        raise _failed(input_ids, error) from error


def _failed(input_ids: NDArray[np.int64], error: Exception) -> ModelError:
    return ModelError(f"the model failed on a batch of shape {input_ids.shape}: {error}")
