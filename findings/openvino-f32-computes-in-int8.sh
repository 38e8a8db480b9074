#!/usr/bin/env bash
# With stored int8 weights OpenVINO computes in int8 although f32 is asked for, and says f32.
#
# Library:    openvino 2026.4.1, CPU plugin (x86-64 with VNNI instructions)
# Expected:   INFERENCE_PRECISION_HINT=f32 is the most precise setting; the compiled model's property confirms it.
# Seen:       Weights behind DequantizeLinear switch on "dynamic quantization": activations are rounded to int8 in
#             groups of 32. The hint does not switch it off; with it the result is ten thousand times as far off,
#             and on a processor with bf16 farther off than with the default, which is bf16:
#                 INFERENCE_PRECISION_HINT=f32: reports f32, error 1.7e-02
#                 and DYNAMIC_QUANTIZATION_GROUP_SIZE=0: reports f32, error 1.1e-06
# Why:        f32 is what one asks for to find out whether bf16 or a runtime is to blame for other labels. The
#             answer is then about int8.
# Workaround: DYNAMIC_QUANTIZATION_GROUP_SIZE=0, or EXECUTION_MODE_HINT=ACCURACY; or fold the weights into floats
#             before compiling (`openvino.passes.ConstantFolding`), which is faster besides.
# See also:   no report was found
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import numpy as np
import openvino
from onnx import TensorProto, helper, numpy_helper

WIDTH = 512
random = np.random.default_rng(0)
stored = random.integers(-127, 128, (WIDTH, WIDTH)).astype(np.int8)
graph = helper.make_graph(
    [
        helper.make_node("DequantizeLinear", ["stored", "scale", "zero"], ["weights"], axis=1),
        helper.make_node("MatMul", ["x", "weights"], ["y"]),
    ],
    "linear",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", WIDTH])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", WIDTH])],
    [
        numpy_helper.from_array(stored, "stored"),
        numpy_helper.from_array(np.full(WIDTH, 0.01, np.float32), "scale"),
        numpy_helper.from_array(np.zeros(WIDTH, np.int8), "zero"),
    ],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
x = random.standard_normal((4, WIDTH)).astype(np.float32)
x[:, 3] = 60  # encoders have such channels
exact = x.astype(np.float64) @ (stored.astype(np.float64) * 0.01)

core, errors, types = openvino.Core(), [], []
for label, extra in (
    ("INFERENCE_PRECISION_HINT=f32", {}),
    ("and DYNAMIC_QUANTIZATION_GROUP_SIZE=0", {"DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}),
):
    compiled = core.compile_model(core.read_model(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"} | extra)
    types.append(compiled.get_property("INFERENCE_PRECISION_HINT").to_string())
    errors.append(np.abs(compiled({"x": x})[0] - exact).max() / np.abs(exact).max())
    print(f"{label}: reports {types[-1]}, error {errors[-1]:.1e}")
if errors[0] < 1e-3 or errors[1] > 1e-4 or len(set(types)) != 1:
    raise SystemExit("the behaviour has changed, or this processor has no int8 kernel for it")
PYTHON
