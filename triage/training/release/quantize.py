"""Store the weights of an ONNX model as int8 behind DequantizeLinear: about one byte a parameter.

Only storage changes: every runtime computes in the precision it likes, from weights that are within half a
step (1/254 of the largest value of their channel) of the trained ones.
"""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

SMALLEST = 1024  # values; biases and layer norms stay fp32: they are small and sensitive


def quantize_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace the fp32 tables of MatMul, Gemm and Gather by int8 ones, symmetric, one scale a channel.

    A channel is an output of a linear layer or a row (a token) of an embedding table. Changes `model` in
    place and returns it.
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
            numpy_helper.from_array(np.zeros(scale.shape, np.int8), f"{name}_zero"),
        ]
        inputs = [f"{name}_int8", f"{name}_scale", f"{name}_zero"]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name=f"{name}_dequantize", axis=axis))
    del graph.initializer[:]
    graph.initializer.extend([*kept, *added])
    body = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *body])
    return model


def quantize_array(values: np.ndarray[Any, Any], axis: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """int8 values of the same shape and their fp32 scale [channels]; an all-zero channel has scale 1."""
    other = 1 - axis
    scale = np.abs(values).max(axis=other) / 127.0
    scale = np.where(scale == 0.0, 1.0, scale).astype(np.float32)
    quantized = np.rint(values / np.expand_dims(scale, other)).clip(-127, 127).astype(np.int8)
    return quantized, scale


def _channel_axes(graph: onnx.GraphProto) -> dict[str, int]:
    """Axis of the channels of each weight, by the node that reads it."""
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
