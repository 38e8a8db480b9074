"""The contract of every runtime; bf16 and int8 are tested only on CPUs with bf16.

The CUDA session computes on the CPU provider here: the bindings are real, the device is not.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest

from triage.config import ModelSettings
from triage.errors import ModelError
from triage.inference.compare import compare_models
from triage.inference.hardware import has_fast_bf16
from triage.inference.model import OnnxModel
from triage.inference.onnxruntime_session import CpuSession, CudaSession
from triage.inference.openvino_session import OpenVinoSession
from triage.inference.session import open_session

RUNTIMES = ["onnxruntime", "cuda", "openvino-fp32", *(["openvino-bf16", "openvino-int8"] if has_fast_bf16() else [])]
IDS = np.array([[0, 4, 5, 2], [0, 7, 2, 1]])
MASK = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])
TEXTS = [
    "My parcel from Amazon is three days late and nobody answers the phone.",
    "快递三天还没到，客服李小姐的态度太差了！",
    "ok",
    "",
    "the Zürich café charged me €4.50 " * 12,
    "x" * 5000,
]


class OnCpu(onnxruntime.InferenceSession):
    """Reports CUDA as its provider and computes on the CPU."""

    def __init__(self, graph, options, providers, enable_fallback):
        super().__init__(graph, options, providers=["CPUExecutionProvider"])

    def get_providers(self):
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]


@pytest.fixture(params=RUNTIMES)
def make(request, monkeypatch):
    """Opens a graph with the runtime under test: make(model, streams=1)."""
    if request.param.startswith("openvino"):
        precision = request.param.partition("-")[2]
        return lambda model, streams=1: OpenVinoSession(model, streams, streams, precision)
    if request.param == "cuda":
        stand_in = SimpleNamespace(**vars(onnxruntime) | {"InferenceSession": OnCpu, "preload_dlls": lambda: None})
        monkeypatch.setitem(sys.modules, "onnxruntime", stand_in)
        monkeypatch.setattr("triage.inference.onnxruntime_session.installed", lambda name: "9.9")
        return lambda model, streams=1: CudaSession(model, streams, streams)
    return lambda model, streams=1: CpuSession(model, streams, streams)


@pytest.fixture(scope="module")
def opened():
    return {}


@pytest.fixture
def session(request, make, tiny_folder, opened):
    """A session that computes two calls at the same time; opened once for all tests."""
    name = request.node.callspec.params["make"]
    if name not in opened:
        opened[name] = make(tiny_folder / "model.onnx", streams=2)
    return opened[name]


def tolerance(session):
    return 0.02 if session.precision in {"bf16", "int8"} else 1e-4


def test_a_session_describes_itself(session):
    assert session.device in {"cpu", "cuda"}
    assert session.runtime.split()[0] in {"onnxruntime", "openvino"}
    assert session.precision in {"fp32", "bf16", "int8"}
    assert (session.threads, session.streams) == (2, 2)
    assert session.batch_tokens >= 64
    assert list(session.widths) == sorted(set(session.widths))


def test_logits_have_the_shapes_of_the_batch(session):
    logits = session.run(IDS, MASK)
    assert [values.dtype for values in logits[:3]] == [np.float32] * 3
    assert (logits.sentiment.shape, logits.entity.shape[:2], len(logits.intent)) == ((2, 3), (2, 4), 2)
    assert logits.aspect is None
    assert all(np.isfinite(values).all() for values in logits[:3])


def test_logits_equal_those_of_onnx_runtime_in_fp32(session, tiny_folder):
    reference = CpuSession(tiny_folder / "model.onnx", 1).run(IDS, MASK)
    for ours, expected in zip(session.run(IDS, MASK)[:3], reference[:3], strict=True):
        kept = MASK.astype(bool) if expected.ndim == 3 else slice(None)
        np.testing.assert_allclose(ours[kept], expected[kept], atol=tolerance(session) * np.abs(expected).max())


def test_logits_of_one_call_outlive_the_next(session):
    first = session.run(IDS, MASK)
    kept = [values.copy() for values in first[:3]]
    session.run(IDS[::-1].copy(), MASK[::-1].copy())
    for values, before in zip(first[:3], kept, strict=True):
        np.testing.assert_array_equal(values, before)


def test_padding_rows_and_columns_do_not_change_logits(session):
    alone = session.run(IDS[:1], MASK[:1])
    wide, mask = np.ones((4, 12), np.int64), np.zeros((4, 12), np.int64)
    wide[0, :4], mask[0, :4], mask[1:, 0] = IDS[0], 1, 1
    filled = session.run(wide, mask).first(1)
    np.testing.assert_allclose(filled.intent, alone.intent, atol=tolerance(session) * np.abs(alone.intent).max())
    np.testing.assert_allclose(filled.entity[:, :4], alone.entity, atol=tolerance(session) * np.abs(alone.entity).max())


def test_calls_from_several_threads(session):
    expected = session.run(IDS, MASK).intent
    with ThreadPoolExecutor(4) as pool:
        for logits in pool.map(lambda _: session.run(IDS, MASK), range(12)):
            np.testing.assert_allclose(logits.intent, expected, atol=tolerance(session) * np.abs(expected).max())


def test_failures_are_model_errors(session):
    with pytest.raises(ModelError, match=r"failed on a batch of shape \(1, 1\)"):
        session.run(np.array([["word"]]), np.ones((1, 1), np.int64))


def test_a_file_that_is_not_a_graph_is_a_model_error(make, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"model\.onnx cannot be loaded with"):
        make(tmp_path / "model.onnx")


def test_a_model_on_the_session_predicts_every_text_in_order(session, tiny_folder):
    reference = OnnxModel.load(ModelSettings(path=tiny_folder, max_tokens=64, max_windows=1, device="cpu"))
    model = OnnxModel(tiny_folder, reference.manifest, reference._tokenizer, session, 64)
    result = compare_models(reference, model, TEXTS)
    differences = {head.head: head.mean_difference for head in result.heads}
    assert max(differences["intent"], differences["sentiment"]) < tolerance(model._session)
    assert [p.truncated for p in model.predict(TEXTS)] == [text.startswith("the Z") for text in TEXTS]
    assert model.predict([]) == []


def test_the_default_runtime_and_precision(tiny_folder):
    running = open_session(tiny_folder / "model.onnx", ModelSettings())
    assert (running.runtime.split()[0], running.precision) == (
        ("openvino", "bf16") if has_fast_bf16() else ("onnxruntime", "fp32")
    )


def test_first_use_by_several_threads_at_once(tiny_folder):
    """OpenVINO's bindings deadlock if two threads use them first at the same time."""
    code = (
        "import sys, threading, numpy, openvino; from pathlib import Path\n"
        "from triage.inference.openvino_session import OpenVinoSession\n"
        "ids = numpy.ones((2, 8), numpy.int64)\n"
        "def use():\n"
        "    session = OpenVinoSession(Path(sys.argv[1]), 2, 2)\n"
        "    again = [threading.Thread(target=session.run, args=(ids, ids)) for _ in range(2)]\n"
        "    [thread.start() for thread in again], [thread.join() for thread in again]\n"
        "users = [threading.Thread(target=use) for _ in range(4)]\n"
        "[thread.start() for thread in users], [thread.join() for thread in users]\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tiny_folder / "model.onnx")], check=True, timeout=120)
