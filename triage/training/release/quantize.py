"""Stores the weights of an ONNX model as int8 with DequantizeLinear nodes: about one byte per parameter.

Only the storage changes. Runtimes compute in floating point, from weights that differ from the trained ones by at most
half a quantization step, 1/254 of the largest absolute value of their channel.
"""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from triage.training.release.compact import replace_items

SMALLEST = 1024
"""Values of a tensor that is quantized; biases and layer norms stay fp32, because they are small and sensitive."""


def quantize_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace the fp32 weights of MatMul, Gemm and Gather by int8 ones, symmetric, with one scale per channel.

    A channel is an output of a linear layer, or a row (a token) of an embedding table. Changes `model` in place and
    returns it.
    """
    graph = model.graph
    axes = _channel_axes(graph)
    kept, added, nodes = [], [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        axis = axes.get(tensor.name)
        if axis is None or values.ndim != 2 or values.size < SMALLEST or values.dtype != np.float32:
            kept.append(tensor)
            continue
        quantized, scale = quantize_array(values, axis)
        name = tensor.name
        added += [
            numpy_helper.from_array(quantized, f"{name}_int8"),
            numpy_helper.from_array(scale, f"{name}_scale"),
        ]
        inputs = [f"{name}_int8", f"{name}_scale"]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name=f"{name}_dequantize", axis=axis))
    replace_items(graph.initializer, [*kept, *added])
    body = list(graph.node)
    replace_items(graph.node, [*nodes, *body])
    return model


def quantize_array(values: np.ndarray[Any, Any], axis: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """int8 values of the same shape, and their fp32 scales [channels] along `axis`; a channel of zeros has scale 1."""
    other = 1 - axis
    scale = np.abs(values).max(axis=other) / 127.0
    scale = np.where(scale == 0.0, 1.0, scale).astype(np.float32)
    quantized = np.rint(values / np.expand_dims(scale, other)).clip(-127, 127).astype(np.int8)
    return quantized, scale


def _channel_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """Axis of the channels of each weight, by the name of its tensor."""
    axes: dict[str, int] = {}
    for node in graph.node:
        if node.op_type == "MatMul":
            axes[node.input[1]] = 1
        elif node.op_type == "Gemm":
            transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            axes[node.input[1]] = 0 if transposed else 1
        elif node.op_type == "Gather":
            axes[node.input[0]] = 0
    return axes
