"""A compacted graph is smaller and computes the same, to the last bit."""

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from checkout import TINY_MODEL
from onnx import TensorProto, helper, numpy_helper

from triage.inference.manifest import MODEL_FILE
from triage.training.release.compact import compact_graph, drop_unused

RNG = np.random.default_rng(3)
TABLE = RNG.integers(-127, 127, (9, 4)).astype(np.int8)
SCALE = RNG.random(9).astype(np.float32)
MATRIX = RNG.normal(size=(4, 4)).astype(np.float32)


def constant(name, value):
    return helper.make_node("Constant", [], [name], name=f"/long/path/{name}", value=numpy_helper.from_array(value))


def model(zeros):
    """Looks rows up in a stored table and multiplies them twice, each time with a constant of its own."""
    two = np.array(2, np.float32)
    nodes = [
        helper.make_node("DequantizeLinear", ["table_int8", "table_scale", "table_zero"], ["table"], axis=0),
        helper.make_node("Gather", ["table", "ids"], ["/long/rows"], name="/long/Gather"),
        constant("/long/one", two),
        constant("/long/other", two.copy()),
        constant("/long/unused", two),
        helper.make_node("Mul", ["/long/rows", "/long/one"], ["/long/double"], name="/long/Mul"),
        helper.make_node("Mul", ["/long/rows", "/long/other"], ["/long/again"], name="/long/Mul_1"),
        helper.make_node("Exp", ["/long/again"], ["/long/nowhere"], name="/long/Exp"),
        helper.make_node("MatMul", ["/long/double", "matrix"], ["/long/left"], name="/layer/dense/MatMul"),
        helper.make_node("Add", ["/long/left", "/long/again"], ["sum"], name="/long/Add"),
        helper.make_node("Mul", ["/long/rows", "/long/one"], ["same"], name="/long/Mul_2"),
    ]
    stored = {"table_int8": TABLE, "table_scale": SCALE, "table_zero": zeros, "matrix": MATRIX, "lost": MATRIX}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ["n"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in ("sum", "same")],
        [numpy_helper.from_array(values, name) for name, values in stored.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def outputs(graph, **inputs):
    return ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, inputs)


@pytest.mark.parametrize(("zeros", "kept"), [(np.zeros(9, np.int8), 2), (np.arange(9, dtype=np.int8), 3)])
def test_equal_nodes_become_one_and_the_outputs_stay(zeros, kept):
    given = model(zeros)
    expected = outputs(given, ids=np.array([3, 0, 8]))
    compact = compact_graph(given)
    onnx.checker.check_model(compact)
    for before, after in zip(expected, outputs(compact, ids=np.array([3, 0, 8])), strict=True):
        np.testing.assert_array_equal(before, after)
    # The second product is the first, but the output keeps its name, so it is computed by a node of its own.
    assert [node.op_type for node in compact.graph.node] == [
        "DequantizeLinear",
        "Gather",
        "Mul",
        "MatMul",
        "Add",
        "Mul",
    ]
    assert len(compact.graph.node[0].input) == kept
    assert len(compact.graph.initializer) == 4 + kept - 2


def test_only_names_with_a_meaning_stay():
    graph = compact_graph(model(np.zeros(9, np.int8))).graph
    names = {name for node in graph.node for name in (*node.input, *node.output)} | {each.name for each in graph.node}
    assert {"ids", "sum", "same", "table", "matrix", "/layer/dense/MatMul", ""} == {
        name for name in names if len(name) != 1
    }


def test_compacting_again_changes_nothing():
    once = compact_graph(model(np.zeros(9, np.int8))).SerializeToString()
    assert compact_graph(onnx.load_from_string(once)).SerializeToString() == once


def test_what_no_output_needs_is_dropped():
    given = model(np.zeros(9, np.int8))
    del given.graph.output[0]
    drop_unused(given.graph)
    assert "matrix" not in {tensor.name for tensor in given.graph.initializer}
    assert [node.op_type for node in given.graph.node] == ["DequantizeLinear", "Gather", "Constant", "Mul"]


def test_a_graph_within_a_node_is_left_alone():
    given = model(np.zeros(9, np.int8))
    inner = helper.make_graph([], "inner", [], [])
    given.graph.node.append(helper.make_node("If", ["ids"], ["x"], then_branch=inner, else_branch=inner))
    before = given.SerializeToString()
    assert compact_graph(given).SerializeToString() == before


def test_the_models_of_the_repository_are_compact():
    content = (TINY_MODEL / MODEL_FILE).read_bytes()
    assert len(compact_graph(onnx.load_from_string(content)).SerializeToString()) == len(content)
