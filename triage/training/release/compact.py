"""Makes the file of an ONNX graph smaller without changing what it computes.

The exporter writes one node for each use of a constant, repeats equal computations, and names each of a thousand
tensors by its long path in the model. Zero points of zero may be left out of DequantizeLinear. Together these are
260 KB of a graph with twelve layers, which the tree of the project has better uses for.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import onnx
from onnx import numpy_helper

_WEIGHTED = {"MatMul", "Gemm"}
_CHANGING = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
_REAL = {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def compact_graph(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fold equal constants and computations, drop unused ones and zero points of zero, and shorten the names.

    Inputs and outputs keep their names, so do weights as they enter a computation, and the nodes that multiply by them:
    they say which parameter of the trained model a weight is. Changes `model` in place and returns it. Graphs within
    nodes are not known here: a model with them stays as it is.
    """
    graph = model.graph
    if any(attribute.HasField("g") or attribute.graphs for node in graph.node for attribute in node.attribute):
        return model
    _constants_to_initializers(graph)
    _drop_zero_points(graph)
    _merge_equal(graph)
    drop_unused(graph)
    _shorten_names(graph)
    return model


def drop_unused(graph: Any) -> None:
    """Remove nodes and stored tensors that no output needs, in place."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if not needed.isdisjoint(node.output):
            needed.update(node.input)
            kept.append(node)
    replace_items(graph.node, reversed(kept))
    replace_items(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in needed])
    del graph.value_info[:]


def _constants_to_initializers(graph: Any) -> None:
    kept = []
    for node in graph.node:
        value = next((each.t for each in node.attribute if each.name == "value"), None)
        if node.op_type != "Constant" or value is None:
            kept.append(node)
            continue
        tensor = onnx.TensorProto()
        tensor.CopyFrom(value)
        tensor.name = node.output[0]
        graph.initializer.append(tensor)
    replace_items(graph.node, kept)


def _drop_zero_points(graph: Any) -> None:
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and len(node.input) == 3 and node.input[2] in stored:
            values, zero = stored.get(node.input[0]), stored[node.input[2]]
            # Without a zero point it is zero, of the type of the values.
            if values is not None and values.data_type == zero.data_type and not numpy_helper.to_array(zero).any():
                del node.input[2]


def _merge_equal(graph: Any) -> None:
    """One tensor for equal constants, and one node for nodes that compute the same of the same inputs."""
    outputs = {output.name for output in graph.output}
    instead: dict[str, str] = {}
    first: dict[Any, Any] = {}
    tensors = []
    for tensor in graph.initializer:
        key = (tensor.data_type, tuple(tensor.dims), numpy_helper.to_array(tensor).tobytes())
        same = first.setdefault(key, tensor.name)
        if same == tensor.name or tensor.name in outputs:
            tensors.append(tensor)
        else:
            instead[tensor.name] = same
    replace_items(graph.initializer, tensors)
    nodes = []
    known: dict[Any, list[str]] = {}
    for node in graph.node:
        replace_items(node.input, [instead.get(name, name) for name in node.input])
        attributes = tuple(sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute))
        computation = (node.domain, node.op_type, tuple(node.input), attributes, len(node.output))
        earlier = known.get(computation)
        if earlier is None or node.op_type in _CHANGING or not outputs.isdisjoint(node.output):
            known.setdefault(computation, list(node.output))
            nodes.append(node)
        else:
            instead.update(zip(node.output, earlier, strict=True))
    replace_items(graph.node, nodes)


def _shorten_names(graph: Any) -> None:
    kept = {each.name for each in (*graph.input, *graph.output)}
    stored = {tensor.name for tensor in graph.initializer if tensor.data_type in _REAL}
    stored -= {name for node in graph.node if node.op_type == "DequantizeLinear" for name in node.input}
    weights = stored | {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    kept |= {name for name in weights if not name.startswith("/")} | {""}
    free = _free_names(kept)
    short: dict[str, str] = {name: name for name in kept}

    def named(name: str) -> str:
        if name not in short:
            short[name] = next(free)
        return short[name]

    for tensor in graph.initializer:
        tensor.name = named(tensor.name)
    for node in graph.node:
        if not (node.op_type in _WEIGHTED and node.input[1] in weights):
            node.ClearField("name")
        node.ClearField("doc_string")
        replace_items(node.input, [named(name) for name in node.input])
        replace_items(node.output, [named(name) for name in node.output])


def _free_names(taken: set[str]) -> Iterator[str]:
    number = 0
    while True:
        name, rest = "", number
        while True:
            rest, digit = divmod(rest, len(_DIGITS))
            name = _DIGITS[digit] + name
            if not rest:
                break
        number += 1
        if name not in taken:
            yield name


def replace_items(field: Any, values: Iterable[Any]) -> None:
    """Make `values` the items of a repeated field of the graph; they may be some of its own."""
    kept = list(values)
    del field[:]
    field.extend(kept)
