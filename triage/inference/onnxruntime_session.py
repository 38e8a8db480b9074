"""Runs the graph with ONNX Runtime, on the CPU or on CUDA."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import ConfigError, MissingExtraError, ModelError
from triage.inference.packages import ONNXRUNTIME_CPU, ONNXRUNTIME_GPU, installed
from triage.inference.runtime import OPTIONAL_OUTPUTS, OUTPUTS, Logits

_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"

Fp16Graph = Callable[[], Path | bytes]
"""Returns the fp16 variant of the graph; called after the runtime was imported."""


class CpuSession:
    """A session of ONNX Runtime's CPU provider, in fp32.

    With `fp16_graph` it runs the GPU's fp16 variant, which is slow and only serves to compare the two.
    """

    device = "cpu"
    batch_tokens = 512
    widths: tuple[int, ...] = ()

    def __init__(self, model: Path, threads: int, streams: int = 1, fp16_graph: Fp16Graph | None = None) -> None:
        ort = _import("cpu")
        self.precision = "fp16" if fp16_graph else "fp32"
        self.threads, self.streams = threads, streams
        self.runtime = f"onnxruntime {ort.__version__}"
        self._session = _create(ort, model, max(threads // streams, 1), [_CPU], fp16_graph)
        self._outputs = _output_names(self._session)

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        return _run(self._session, self._outputs, input_ids, attention_mask)


class CudaSession:
    """A session of ONNX Runtime's CUDA provider, in fp16 with `fp16_graph`, else in fp32.

    Raises ModelError if the graph does not run on CUDA: ONNX Runtime itself would use the CPU and only log a line.
    Inputs and outputs are bound, so each is copied once between host and device, and the host waits once per call.
    """

    device = "cuda"
    batch_tokens = 16_384
    widths: tuple[int, ...] = ()

    def __init__(self, model: Path, threads: int, streams: int = 1, fp16_graph: Fp16Graph | None = None) -> None:
        if installed(ONNXRUNTIME_CPU) and not installed(ONNXRUNTIME_GPU):
            raise ConfigError(
                "model.device is cuda, but the installed onnxruntime has no CUDA: "
                "pip uninstall -y onnxruntime && pip install 'triage-feedback[gpu]'"
            )
        ort = _import("gpu")
        # The CUDA and cuDNN libraries of the nvidia-* wheels are not on the library path.
        ort.preload_dlls()
        self.precision = "fp16" if fp16_graph else "fp32"
        self.threads, self.streams = threads, streams
        self.runtime = f"onnxruntime {ort.__version__}"
        self._session = _create(ort, model, threads, [_CUDA, _CPU], fp16_graph)
        self._outputs = _output_names(self._session)
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
            return _logits(self._outputs, binding.copy_outputs_to_cpu())
        except Exception as error:  # the runtime's errors share no base class
            raise _batch_error(input_ids, error) from error


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


def _create(ort: Any, model: Path, threads: int, providers: list[str], fp16_graph: Fp16Graph | None) -> Any:
    graph = fp16_graph() if fp16_graph else model
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Every batch has its own shape: a memory plan per shape would only take memory.
    options.enable_mem_pattern = False
    # The weights are int8 for storage only. Without this option they are dequantized again in every run.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        # With its own fallback the library would retry on the CPU and print to standard output.
        return ort.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph), options, providers=providers, enable_fallback=0
        )
    except Exception as error:  # the runtime's errors share no base class
        name = model if isinstance(graph, bytes) else graph
        raise ModelError(f"{name} cannot be loaded with {providers[0]}: {error}") from error


def _output_names(session: Any) -> list[str]:
    """Names of the outputs to compute: those of every model, and those that this graph has besides."""
    present = {output.name for output in session.get_outputs()}
    return [*OUTPUTS, *(name for name in OPTIONAL_OUTPUTS if name in present)]


def _logits(names: list[str], outputs: Sequence[NDArray[np.float32]]) -> Logits:
    found: dict[str, NDArray[np.float32]] = dict(zip(names, outputs, strict=True))
    return Logits(*(found[name] for name in OUTPUTS), *(found.get(name) for name in OPTIONAL_OUTPUTS))


def _run(session: Any, names: list[str], input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
    try:
        return _logits(names, session.run(names, {"input_ids": input_ids, "attention_mask": attention_mask}))
    except Exception as error:  # the runtime's errors share no base class
        raise _batch_error(input_ids, error) from error


def _batch_error(input_ids: NDArray[np.int64], error: Exception) -> ModelError:
    return ModelError(f"the model failed on a batch of shape {input_ids.shape}: {error}")
