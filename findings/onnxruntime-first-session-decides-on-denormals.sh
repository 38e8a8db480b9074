#!/usr/bin/env bash
# A session option about denormal numbers is a setting of the thread that makes the first session, for good.
#
# Library:    onnxruntime 1.31.1, CPU provider, x86-64 (numpy 2.4.6 shows it)
# Expected:   `session.set_denormal_as_zero` holds for the session that it is set on, while that one runs.
# Seen:       The first session of a process decides. With the option, the floating point unit of the calling thread
#             flushes to zero from then on, for plain Python and NumPy too, and each thread started later inherits
#             that. Without it, the option of later sessions has no effect on calls with one thread:
#                 option on the first session: NumPy 0, Python 0, a new thread 0, the session 0
#                 option on the second session: NumPy 5e-40, Python 5e-311, a new thread 5e-40, the session 2e-39
# Why:        The option is the known cure for slow denormals. Set in a worker that also does statistics, it takes
#             tails of distributions to exactly 0 (and their logarithms to -inf) in code that does not use ONNX
#             Runtime; in a process with several models it depends on the order of loading.
# Workaround: Make the first session in a thread of its own that does nothing else, or flush denormal weights to
#             zero in the file of the model.
# See also:   https://github.com/microsoft/onnxruntime/pull/5391 ("only the first session option is effective")
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
cat >"$work/show.py" <<'PYTHON'
import platform
import sys
import threading

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

if platform.machine() not in {"x86_64", "AMD64"}:
    raise SystemExit("this finding is about x86-64")
shape = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "twice", shape[:1], shape[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def session(flush):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if flush:
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def numpy_half():
    return float((np.full(1, 1e-39, np.float32) * np.float32(0.5))[0])


if sys.argv[1] == "second":
    session(flush=False)
flushing = session(flush=True)
elsewhere = []
thread = threading.Thread(target=lambda: elsewhere.append(numpy_half()))
thread.start()
thread.join()
twice = float(flushing.run(None, {"x": np.full(1, 1e-39, np.float32)})[0][0])
print(
    f"option on the {sys.argv[1]} session: NumPy {numpy_half():.0g}, Python {float('1e-310') * float('0.5'):.0g}, "
    f"a new thread {elsewhere[0]:.0g}, the session {twice:.0g}"
)
PYTHON
first=$("$work/venv/bin/python" "$work/show.py" first)
second=$("$work/venv/bin/python" "$work/show.py" second)
printf '%s\n' "$first" "$second"
[ "$first" = "option on the first session: NumPy 0, Python 0, a new thread 0, the session 0" ] &&
    [ "$second" = "option on the second session: NumPy 5e-40, Python 5e-311, a new thread 5e-40, the session 2e-39" ] ||
    { echo "the behaviour has changed" >&2; exit 1; }
