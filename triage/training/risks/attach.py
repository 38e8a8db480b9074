"""Adds a trained risk head to the graph and the manifest of a model folder."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from triage.errors import TrainingError
from triage.inference.manifest import MANIFEST_FILE, MODEL_FILE
from triage.inference.model_files import record_files
from triage.training.data.files import read_json, write_json
from triage.training.release.compact import compact_graph, drop_unused, replace_items
from triage.training.release.quantize import quantize_array
from triage.training.risks.head import Weights
from triage.training.risks.states import chosen_layers, layer_outputs

OUTPUT = "risk_logits"
_PREFIX = "risks"


def attach_head(folder: Path, output: Path, weights: Weights, manifest: dict[str, Any]) -> None:
    """Write the model folder `output`: that of `folder` with the head, and `manifest` merged into its manifest.

    All other weights of the graph stay as they are, so the other outputs do too, and equal nodes become one (see
    `compact_graph`). A head that the graph already has is replaced.
    """
    if output.exists() and output.resolve() != folder.resolve():
        raise TrainingError(f"{output} exists; give another --output or remove it")
    model = onnx.load(str(folder / MODEL_FILE))
    _remove_head(model.graph)
    _add_head(model.graph, weights)
    compact_graph(model)
    onnx.checker.check_model(model)
    if output.resolve() != folder.resolve():
        shutil.copytree(folder, output)
    (output / MODEL_FILE).write_bytes(model.SerializeToString())
    write_json(output / MANIFEST_FILE, read_json(output / MANIFEST_FILE) | manifest)
    record_files(output)


def _remove_head(graph: Any) -> None:
    replace_items(graph.output, [output for output in graph.output if output.name != OUTPUT])
    drop_unused(graph)
    _rename_shared(graph)


def _rename_shared(graph: Any) -> None:
    """Rename what the removed head shared with the rest (see `compact_graph`), as a new head takes its names again."""
    taken = {each.name for each in (*graph.initializer, *graph.node)} | {
        name for node in graph.node for name in node.output
    }
    names: dict[str, str] = {}
    for name in sorted(each for each in taken if each.startswith(f"{_PREFIX}/")):
        new = f"shared/{name}"
        while new in taken:
            new = f"shared/{new}"
        names[name] = new
    for each in (*graph.initializer, *graph.node, *graph.value_info):
        each.name = names.get(each.name, each.name)
    for node in graph.node:
        for values in (node.input, node.output):
            values[:] = [names.get(name, name) for name in values]


def _add_head(graph: Any, weights: Weights) -> None:
    outputs = layer_outputs(graph)
    layers = [outputs[layer] for layer in chosen_layers(len(outputs) - 1)]
    parts = np.split(weights["hidden.weight"].T, len(layers))
    sums = []
    for layer, (name, part) in enumerate(zip(layers, parts, strict=True)):
        _add_int8(graph, f"{_PREFIX}/hidden{layer}", part)
        _add_node(graph, "MatMul", [name, f"{_PREFIX}/hidden{layer}"], f"{_PREFIX}/product{layer}")
        sums.append(f"{_PREFIX}/product{layer}")
    for layer, name in enumerate(sums[1:], start=1):
        _add_node(graph, "Add", [sums[0] if layer == 1 else f"{_PREFIX}/sum{layer - 1}", name], f"{_PREFIX}/sum{layer}")
    last = f"{_PREFIX}/sum{len(sums) - 1}" if len(sums) > 1 else sums[0]
    _add_node(graph, "Add", [last, _constant(graph, "hidden_bias", weights["hidden.bias"])], f"{_PREFIX}/biased")
    _add_node(graph, "Relu", [f"{_PREFIX}/biased"], f"{_PREFIX}/hidden")
    for name in ("attention", "score"):
        matrix = _constant(graph, f"{name}_weight", np.ascontiguousarray(weights[f"{name}.weight"].T))
        _add_node(graph, "MatMul", [f"{_PREFIX}/hidden", matrix], f"{_PREFIX}/{name}")
    _add_node(
        graph, "Add", [f"{_PREFIX}/score", _constant(graph, "score_bias", weights["score.bias"])], f"{_PREFIX}/scores"
    )
    _add_node(graph, "Equal", ["attention_mask", _constant(graph, "zero", np.array(0, np.int64))], f"{_PREFIX}/empty")
    _add_node(
        graph, "Unsqueeze", [f"{_PREFIX}/empty", _constant(graph, "last_axis", np.array([-1], np.int64))],
        f"{_PREFIX}/padding",
    )  # fmt: skip
    barred = _constant(graph, "barred", np.array(-1e4, np.float32))
    _add_node(graph, "Where", [f"{_PREFIX}/padding", barred, f"{_PREFIX}/attention"], f"{_PREFIX}/masked")
    _add_node(graph, "Softmax", [f"{_PREFIX}/masked"], f"{_PREFIX}/weights", axis=1)
    _add_node(graph, "Mul", [f"{_PREFIX}/weights", f"{_PREFIX}/scores"], f"{_PREFIX}/weighted")
    axis = _constant(graph, "tokens_axis", np.array([1], np.int64))
    _add_node(graph, "ReduceSum", [f"{_PREFIX}/weighted", axis], OUTPUT, keepdims=0)
    shape: list[str | int | None] = ["batch", len(weights["score.bias"])]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, shape))


def _add_node(graph: Any, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
    name = output if output.startswith(_PREFIX) else f"{_PREFIX}/{output}"
    graph.node.append(helper.make_node(operator, inputs, [output], name=name, **attributes))


def _constant(graph: Any, name: str, values: NDArray[Any]) -> str:
    graph.initializer.append(numpy_helper.from_array(values, f"{_PREFIX}/{name}"))
    return f"{_PREFIX}/{name}"


def _add_int8(graph: Any, name: str, values: NDArray[np.float32]) -> None:
    """Add a weight as int8 with one scale per column, as all weights of the file are stored."""
    quantized, scale = quantize_array(np.ascontiguousarray(values), 1)
    inputs = [
        _constant(graph, f"{name.removeprefix(_PREFIX + '/')}_{part}", each)
        for part, each in (("int8", quantized), ("scale", scale))
    ]
    graph.node.append(helper.make_node("DequantizeLinear", inputs, [name], name=f"{name}_dequantize", axis=1))
