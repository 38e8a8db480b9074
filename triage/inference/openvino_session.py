"""OpenVINO on the CPU: bf16 where AMX multiplies it, else fp32."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage.errors import MissingExtraError, ModelError
from triage.inference.hardware import has_amx_bf16
from triage.inference.packages import OPENVINO, installed
from triage.inference.session import Logits


class OpenVinoSession:
    """A compiled model with one inference request a thread: a request serves one call at a time."""

    device = "cpu"

    def __init__(self, model: Path, threads: int) -> None:
        try:
            import openvino
        except ImportError as error:
            raise MissingExtraError("model.device = openvino", "openvino") from error
        self.threads = threads
        self.precision = "bf16" if has_amx_bf16() else "fp32"
        self.runtime = f"openvino {installed(OPENVINO)}"
        try:
            core = openvino.Core()
            self._compiled = core.compile_model(
                core.read_model(str(model)),
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
                    "INFERENCE_NUM_THREADS": threads,
                    "PERFORMANCE_HINT": "LATENCY",
                    # By default int8 weights make it quantize activations to int8 as well.
                    "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
                },
            )
            in_use = list(self._compiled.get_property("EXECUTION_DEVICES"))
        except Exception as error:  # the runtime raises bare RuntimeError and its own
            raise ModelError(f"{model} cannot be loaded with OpenVINO: {error}") from error
        if in_use != ["CPU"]:
            raise ModelError(f"{model} was to run on OpenVINO's CPU device, but runs on {in_use}")
        self._requests = threading.local()

    def run(self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]) -> Logits:
        request: Any = getattr(self._requests, "own", None)
        if request is None:
            request = self._requests.own = self._compiled.create_infer_request()
        try:
            outputs = request.infer({"input_ids": input_ids, "attention_mask": attention_mask})
            return Logits(outputs["intent_logits"], outputs["sentiment_logits"], outputs["entity_logits"])
        except Exception as error:  # the runtime raises bare RuntimeError and its own
            raise ModelError(f"the model failed on a batch of shape {input_ids.shape}: {error}") from error
