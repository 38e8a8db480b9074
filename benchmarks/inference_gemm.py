"""Measures the peak rate of matrix products on this machine, to which the engines are compared."""

import time
from collections.abc import Callable

import numpy as np

# Tokens x inputs x outputs: the shapes of the model's layers, and square ones.
SHAPES = ((1024, 384, 1536), (1024, 1536, 384), (1024, 384, 384), (1024, 1024, 1024), (2048, 2048, 2048))


def peaks(threads: int, seconds: float) -> dict[str, float]:
    """Highest GFLOP/s in fp32 and bf16 over the installed libraries and the shapes, `seconds` per shape."""
    found: dict[str, list[float]] = {"fp32": [_best(_numpy(*shape), shape, seconds) for shape in SHAPES]}
    try:
        import torch
    except ImportError:
        pass
    else:
        torch.set_num_threads(threads)
        for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            for rows, inputs, outputs in SHAPES:
                layer, given = torch.nn.Linear(inputs, outputs).to(kind), torch.randn(rows, inputs).to(kind)
                with torch.inference_mode():
                    rate = _best(lambda layer=layer, given=given: layer(given), (rows, inputs, outputs), seconds)
                found.setdefault(name, []).append(rate)
    for name, rate in _openvino(threads, seconds):
        found.setdefault(name, []).append(rate)
    return {name: max(rates) for name, rates in found.items()}


def _numpy(rows: int, inputs: int, outputs: int) -> Callable[[], object]:
    generator = np.random.default_rng(0)
    left = generator.random((rows, inputs), np.float32)
    right = generator.random((inputs, outputs), np.float32)
    return lambda: left @ right


def _openvino(threads: int, seconds: float) -> list[tuple[str, float]]:
    """GFLOP/s of OpenVINO by precision; eight products in a row, so that the overhead of a call is small."""
    try:
        import openvino
        from openvino import opset13 as ops
    except ImportError:
        return []
    from triage.inference.hardware import has_fast_bf16

    found = []
    generator = np.random.default_rng(0)
    for name in ("fp32", "bf16") if has_fast_bf16() else ("fp32",):
        for rows, size in ((1024, 384), (1024, 1024)):
            given = ops.parameter([rows, size], openvino.Type.f32)
            product = given
            for _ in range(8):
                weights = generator.random((size, size), np.float32) / size
                product = ops.matmul(product, ops.constant(weights), False, False)
            compiled = openvino.Core().compile_model(
                openvino.Model([product], [given]),
                "CPU",
                {
                    "INFERENCE_NUM_THREADS": threads,
                    "NUM_STREAMS": 1,
                    "INFERENCE_PRECISION_HINT": "bf16" if name == "bf16" else "f32",
                },
            )
            request = compiled.create_infer_request()
            values = [generator.random((rows, size), np.float32)]
            rate = _best(lambda request=request, values=values: request.infer(values), (8 * rows, size, size), seconds)
            found.append((name, rate))
    return found


def _best(multiply: Callable[[], object], shape: tuple[int, int, int], seconds: float) -> float:
    """GFLOP/s of the fastest of many products."""
    multiply()
    rows, inputs, outputs = shape
    least, until = float("inf"), time.perf_counter() + seconds
    while (now := time.perf_counter()) < until or least == float("inf"):
        multiply()
        least = min(least, time.perf_counter() - now)
    return 2e-9 * rows * inputs * outputs / least


def flop_per_token(layers: int, hidden: int, mean_tokens: float) -> float:
    """Floating-point operations per token of a BERT with intermediate size 4 x hidden, forward only.

    24 hidden^2 per layer for the products with weights, and 4 hidden x tokens for attention (Narayanan et al. 2021,
    Efficient Large-Scale Language Model Training, section 5.1).
    """
    return layers * (24.0 * hidden**2 + 4.0 * hidden * mean_tokens)
