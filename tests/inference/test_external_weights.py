"""Weights beside an ONNX file are found wherever the format allows them, and nothing hangs on other bytes."""

import contextlib

import numpy as np
import onnx
import pytest
from checkout import SHIPPED_MODEL
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from triage.errors import ModelError
from triage.inference.external_weights import FIELDS, external_files, external_locations


def _outside(name, location):
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0")):
        tensor.external_data.add(key=key, value=value)
    return tensor


def _graph(nodes=(), weights=()):
    return helper.make_graph(list(nodes), "g", [], [], list(weights))


def test_the_numbers_are_those_of_the_format():
    for name, fields in FIELDS.items():
        described = getattr(onnx, name).DESCRIPTOR.fields
        found = {field.number: field.message_type.name for field in described if field.message_type is not None}
        leading = {
            number: message for number, message in found.items() if message in {*FIELDS, "StringStringEntryProto"}
        }
        metadata = {
            number for number in leading if number not in fields and leading[number] == "StringStringEntryProto"
        }
        assert fields == {number: message for number, message in leading.items() if number not in metadata}


def test_weights_are_found_in_every_place():
    inner = _graph(weights=[_outside("inner", "subgraph.bin")])
    sparse = onnx.SparseTensorProto(values=_outside("s", "sparse.bin"), dims=[4])
    graph = _graph(
        [
            helper.make_node("Constant", [], ["c"], value=_outside("c", "constant.bin")),
            helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner),
        ],
        [_outside("w", "../weights.bin"), numpy_helper.from_array(np.zeros(2000, np.float32), "inside")],
    )
    graph.sparse_initializer.append(sparse)
    model = helper.make_model(graph)
    body = [helper.make_node("Constant", [], ["f"], value=_outside("f", "function.bin"))]
    model.functions.append(helper.make_function("local", "f", [], ["f"], body, [helper.make_opsetid("", 18)]))
    expected = {"subgraph.bin", "sparse.bin", "constant.bin", "../weights.bin", "function.bin"}
    assert external_locations(model.SerializeToString()) == expected


def test_the_shipped_model_keeps_none():
    assert external_files(SHIPPED_MODEL / "model.onnx") == set()


def test_what_is_not_onnx_is_named(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x3a\xff\x01")
    with pytest.raises(
        ModelError, match=r"model\.onnx cannot be loaded: it is not an ONNX file \(byte 3 promises 255 more"
    ):
        external_files(path)
    with pytest.raises(ModelError, match=r"absent\.onnx cannot be read"):
        external_files(tmp_path / "absent.onnx")
    path.write_bytes(b"")
    assert external_files(path) == set()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    with contextlib.suppress(ValueError):
        assert external_locations(content) is not None
