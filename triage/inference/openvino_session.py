"""Runs the graph with OpenVINO on the CPU."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import MissingExtraError, ModelError
from triage.inference.hardware import has_amx_bf16
from triage.inference.packages import OPENVINO, installed
from triage.inference.runtime import OPTIONAL_OUTPUTS, OUTPUTS, Logits

# OpenVINO compiles code for every shape, which takes 12 ms and 2 MiB each, and caches a few hundred of them. These
# widths limit the shapes to about forty and cost 3 % more padding than arbitrary widths.
_WIDTHS = (*range(8, 33, 2), *range(36, 65, 4), *range(72, 129, 8), *range(144, 257, 16), *range(320, 513, 64))
# Activations are quantized to int8 in groups of 64 with a scale each, so a text's result does not depend on its batch.
_INT8_GROUP = 64
# The first use of NumPy by OpenVINO's bindings takes the interpreter lock inside a C++ static guard: two threads that
# do this at the same time deadlock. Every session therefore computes once in its constructor, under this lock.
_FIRST_USE = threading.Lock()
_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "bf16"}  # names of openvino.Type


class OpenVinoSession:
    """A compiled model with one inference request per thread, because a request serves one call at a time.

    `precision` is fp32, bf16 or int8; int8 multiplies int8 values and computes everything else in bf16.
    """

    device = "cpu"
    widths: tuple[int, ...] = _WIDTHS

    def __init__(self, model: Path, threads: int, streams: int = 1, precision: str = "fp32") -> None:
        try:
            import openvino
            from openvino.passes import ConstantFolding, Manager
        except ImportError as error:
            raise MissingExtraError("model.device = openvino", "openvino") from error
        self.threads, self.streams = threads, min(streams, threads)
        self.precision = precision
        # AMX tiles need large products: 1,024 tokens give a quarter more texts per second than 256.
        self.batch_tokens = 1_024 if precision == "bf16" and has_amx_bf16() else 256
        self.runtime = f"openvino {installed(OPENVINO)}"
        type_hint = getattr(openvino.Type, _HINTS[precision])
        try:
            core = openvino.Core()
            graph = core.read_model(str(model))
            if precision != "int8":
                # Without this pass the stored int8 weights are dequantized again in every call.
                folding = Manager()
                folding.register_pass(ConstantFolding())
                folding.run_passes(graph)
            self._compiled = core.compile_model(
                graph,
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": type_hint,
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": self.streams,
                    # With pinning, all workers of a machine would share its first cores.
                    "ENABLE_CPU_PINNING": False,
                    # By default OpenVINO also quantizes the activations of a graph with int8 weights.
                    "DYNAMIC_QUANTIZATION_GROUP_SIZE": _INT8_GROUP if precision == "int8" else 0,
                },
            )
            in_use = list(self._compiled.get_property("EXECUTION_DEVICES"))
            type_in_use = self._compiled.get_property("INFERENCE_PRECISION_HINT")
        except Exception as error:  # the runtime raises bare RuntimeError and its own
            raise ModelError(f"{model} cannot be loaded with OpenVINO: {error}") from error
        if in_use != ["CPU"] or type_in_use != type_hint:
            raise ModelError(
                f"{model} was to run on OpenVINO's CPU device in {precision}, but runs on {in_use} in {type_in_use}: "
                "set model.precision = auto, or model.device = cpu"
            )
        names = {name for output in self._compiled.outputs for name in output.get_names()}
        self._optional = [name if name in names else None for name in OPTIONAL_OUTPUTS]
        self._requests = threading.local()
        with _FIRST_USE:
            ones = np.ones((1, _WIDTHS[0]), np.int64)
            self.run(ones, ones)

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        request: Any = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        try:
            outputs = request.infer({"input_ids": input_ids, "attention_mask": attention_mask})
            optional = (None if name is None else outputs[name] for name in self._optional)
            return Logits(*(outputs[name] for name in OUTPUTS), *optional)
        except Exception as error:  # the runtime raises bare RuntimeError and its own
            raise ModelError(f"the model failed on a batch of shape {input_ids.shape}: {error}") from error
