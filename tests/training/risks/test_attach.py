"""A head is added to a graph: the other outputs stay, and every runtime computes the new one."""

import numpy as np
import onnx
import pytest
from checkout import TINY_MODEL

from triage.config import ModelSettings
from triage.inference.manifest import MODEL_FILE, read_manifest
from triage.inference.model import OnnxModel
from triage.inference.onnxruntime_session import CpuSession
from triage.training.risks.attach import attach_head
from triage.training.risks.states import read_states

IDS = np.array([[2, 7, 9, 4, 3], [2, 5, 3, 1, 1]], np.int64)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]], np.int64)
FIELDS = {"risks": ["danger", "fraud"], "risk_thresholds": {"danger": 0.5, "fraud": 0.5}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    output = tmp_path_factory.mktemp("risks") / "tiny-risks"
    attach_head(TINY_MODEL, output, head_weights(0), FIELDS)
    return output


def head_weights(seed):
    inputs = read_states(TINY_MODEL, ["x"]).values.shape[1]
    rng = np.random.default_rng(seed)
    shapes = {
        "hidden.weight": (8, inputs), "hidden.bias": (8,), "attention.weight": (2, 8), "score.weight": (2, 8),
        "score.bias": (2,),
    }  # fmt: skip
    return {name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def test_the_other_outputs_stay_and_padding_does_not_count(folder):
    before = CpuSession(TINY_MODEL / MODEL_FILE, 1).run(IDS, MASK)
    after = CpuSession(folder / MODEL_FILE, 1).run(IDS, MASK)
    for name in ("intent", "sentiment", "entity"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    assert after.risk.shape == (2, 2)
    alone = CpuSession(folder / MODEL_FILE, 1).run(IDS[1:, :3], MASK[1:, :3])
    np.testing.assert_allclose(alone.risk, after.risk[1:], atol=1e-4)


def test_the_head_computes_what_the_trained_one_does(folder):
    weights = head_weights(0)
    states = read_states(folder, ["late"]).values.astype(np.float32)
    hidden = np.maximum(states @ weights["hidden.weight"].T + weights["hidden.bias"], 0)
    attention = np.exp(hidden @ weights["attention.weight"].T)
    expected = (attention / attention.sum(0) * (hidden @ weights["score.weight"].T + weights["score.bias"])).sum(0)
    model = OnnxModel.load(ModelSettings(path=folder, device="cpu", threads=1))
    tokenized = model._tokenizer.encode(["late"])
    (found,) = model._session.run(*model._tokenizer.pad(tokenized, np.array([0]))).risk
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.02)


def test_a_second_head_replaces_the_first(folder, tmp_path):
    attach_head(folder, tmp_path / "again", head_weights(1), FIELDS)
    graphs = [CpuSession(path / MODEL_FILE, 1).run(IDS, MASK).risk for path in (folder, tmp_path / "again")]
    assert not np.allclose(*graphs)
    assert read_manifest(tmp_path / "again").risks == ["danger", "fraud"]


def test_what_the_rest_of_the_graph_shares_with_the_first_head_stays(folder, tmp_path):
    first = tmp_path / "0"
    first.mkdir()
    for path in folder.iterdir():
        (first / path.name).write_bytes(path.read_bytes())
    model = onnx.load(str(first / MODEL_FILE))
    model.graph.node.append(onnx.helper.make_node("Add", ["intent_logits", "risks/barred"], ["low"], name="low"))
    model.graph.output.append(onnx.helper.make_tensor_value_info("low", onnx.TensorProto.FLOAT, ["batch", "intents"]))
    (first / MODEL_FILE).write_bytes(model.SerializeToString())
    for number in (1, 2):
        attach_head(tmp_path / str(number - 1), tmp_path / str(number), head_weights(number), FIELDS)
    last = tmp_path / "2" / MODEL_FILE
    nodes = {output: node for node in onnx.load(str(last)).graph.node for output in node.output}
    barred = {each.name: onnx.numpy_helper.to_array(each) for each in onnx.load(str(last)).graph.initializer}
    assert [barred[name] for name in nodes["low"].input if name in barred] == [-1e4]
    assert CpuSession(last, 1).run(IDS, MASK).risk.shape == (2, 2)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "int8"])
def test_openvino_computes_the_same(folder, precision):
    pytest.importorskip("openvino")
    from triage.inference.openvino_session import OpenVinoSession

    expected = CpuSession(folder / MODEL_FILE, 1).run(IDS, MASK).risk
    found = OpenVinoSession(folder / MODEL_FILE, 1, precision=precision).run(IDS, MASK).risk
    np.testing.assert_allclose(found, expected, atol={"fp32": 1e-4}.get(precision, 0.05) * np.abs(expected).max())
