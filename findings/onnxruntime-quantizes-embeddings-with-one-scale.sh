#!/usr/bin/env bash
# `per_channel=True` quantizes a whole embedding table with one scale, so one large row wipes out the others.
#
# Library:    onnxruntime 1.31.1, quantization.quantize_dynamic
# Expected:   With `per_channel=True` each column of a weight, or each row of a table, has its own scale.
# Seen:       MatMul's weights do. An embedding table (Gather), quantized by default as well, has a single scale,
#             without a warning. Here one row of 50 is 40 times as large as the others:
#                 scale of the MatMul's weights: 8 values
#                 scale of the embedding table: 1 value
#                 an ordinary token's embedding: 23 % off; with a scale of its own: 1 % off
# Why:        In a small multilingual encoder the table is most of the file, so it is what one wants quantized. A
#             single outlier among 250,000 rows then costs all other tokens their precision, and "int8 loses too
#             much" is what one concludes.
# Workaround: `op_types_to_quantize=["MatMul"]`, and store the table as int8 yourself: DequantizeLinear with axis=0
#             (one scale a row) before the Gather.
# See also:   https://github.com/microsoft/onnxruntime/pull/5827 (where embeddings were left to per-tensor scales)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import logging

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

logging.disable(logging.WARNING)
random = np.random.default_rng(0)
table = random.standard_normal((50, 64)).astype(np.float32)
table[7] *= 40
weights = random.standard_normal((64, 8)).astype(np.float32)
graph = helper.make_graph(
    [
        helper.make_node("Gather", ["table", "ids"], ["embedded"], axis=0, name="embedding"),
        helper.make_node("MatMul", ["embedded", "weights"], ["y"], name="linear"),
    ],
    "encoder",
    [helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["tokens", 8])],
    [numpy_helper.from_array(table, "table"), numpy_helper.from_array(weights, "weights")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.save(model, "float.onnx")
quantize_dynamic("float.onnx", "int8.onnx", per_channel=True, weight_type=QuantType.QInt8)

stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load("int8.onnx").graph.initializer}
row = table[3]
scaled = stored["table_scale"] * (stored["table_quantized"][3].astype(np.float32) - stored["table_zero_point"])
step = np.abs(row).max() / 127


def off(values):
    return 100 * np.sqrt(np.mean((values - row) ** 2) / np.mean(row**2))


shared, own = off(scaled), off(np.round(row / step) * step)
print(f"scale of the MatMul's weights: {stored['weights_scale'].size} values")
print(f"scale of the embedding table: {stored['table_scale'].size} value")
print(f"an ordinary token's embedding: {shared:.0f} % off; with a scale of its own: {own:.0f} % off")
if stored["weights_scale"].size != 8 or stored["table_scale"].size != 1 or shared < 10 * own:
    raise SystemExit("the behaviour has changed")
PYTHON
