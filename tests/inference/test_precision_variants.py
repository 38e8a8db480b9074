"""Precision variants: fp32 predicts what the shipped file predicts, fp16 nearly; converted once, cached by hash."""

import errno
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import structlog
from checkout import SHIPPED_MODEL

from triage import paths
from triage.config import ModelSettings
from triage.errors import MissingExtraError, ModelError
from triage.inference import precision_variants
from triage.inference.compare import compare_models
from triage.inference.manifest import read_manifest
from triage.inference.model import OnnxModel
from triage.inference.precision_variants import cached_variant, convert_precision, write_variant

THINGS = (
    "parcel", "refund", "账单", "the Acme lamp", "客服", "app", "payment by card", "Dr. Li in Berlin", "password",
    "快递", "your shop", "discount",
)  # fmt: skip
SAYINGS = (
    "Where is {}? It was due on Monday!", "{}太差了，再也不买", "love {} so much", "{} stopped working after two days",
    "please cancel {}", "{}什么时候到？", "I was charged twice for {}", "can you tell me about {}", "{} ok",
    "{}不错，推荐",
)  # fmt: skip
RISKY = (
    "{} caught fire and my hand is burnt", "{}冒烟起火，把我的手烫伤了", "I will sue you over {}",
    "{}不退钱我就起诉你们", "Somebody else paid with my card for {}", "{} is fine",
)  # fmt: skip
TEXTS = [saying.format(thing) for saying in SAYINGS for thing in THINGS]


def load(folder, **settings):
    return OnnxModel.load(ModelSettings(path=folder, device="cpu", threads=1, **settings))


@pytest.fixture
def model(tiny_folder):
    return tiny_folder / "model.onnx"


def _agreement(one, other, texts):
    return {head.head: (head.agreement, head.mean_difference) for head in compare_models(one, other, texts).heads}


def test_fp32_predicts_what_the_stored_int8_predicts(tiny_folder, tmp_path):
    write_variant("fp32", tiny_folder, tmp_path / "reference")
    same = _agreement(load(tiny_folder), load(tmp_path / "reference"), TEXTS)
    assert {agreement for agreement, _ in same.values()} == {1.0}
    assert same["intent"][1] < 1e-5


def test_fp16_keeps_the_risks(tmp_path):
    texts = [text.format(thing) for text in RISKY for thing in THINGS]
    exact, fp16 = (
        load(SHIPPED_MODEL, precision=precision, cache_dir=tmp_path).predict(texts) for precision in ("fp32", "fp16")
    )
    found = [{risk.label: risk.confidence for risk in each.risks} for each in exact]
    assert {label for risks in found for label in risks} >= {"danger", "legal_threat", "fraud"}
    same = 0
    for risks, other in zip(found, fp16, strict=True):
        others = {risk.label: risk.confidence for risk in other.risks}
        same += risks.keys() == others.keys()
        assert all(abs(others[label] - risks[label]) < 0.02 for label in risks.keys() & others.keys())
    assert same >= 0.98 * len(texts)


@pytest.mark.parametrize("folder", [SHIPPED_MODEL, Path("tiny")], ids=["shipped", "tiny"])
def test_fp16_keeps_the_labels(folder, tiny_folder, tmp_path):
    folder = folder if folder.is_absolute() else tiny_folder
    fp16 = load(folder, precision="fp16", cache_dir=tmp_path)
    assert fp16.describe()["precision"] == "fp16"
    for head, (agreement, difference) in _agreement(load(folder, precision="fp32"), fp16, TEXTS).items():
        assert agreement >= 0.995, head
        assert difference is None or difference < 0.005, head


def test_weights_are_fp16_and_inputs_and_outputs_keep_their_types(model):
    import onnx

    graph = onnx.load_from_string(convert_precision("fp16", model.read_bytes(), model)).graph
    kinds = {t.data_type for t in graph.initializer if np.prod(t.dims) > 1000}
    assert kinds == {onnx.TensorProto.FLOAT16}
    assert {put.type.tensor_type.elem_type for put in graph.input} == {onnx.TensorProto.INT64}
    assert {put.type.tensor_type.elem_type for put in graph.output} == {onnx.TensorProto.FLOAT}
    assert not [node for node in graph.node if node.op_type == "DequantizeLinear"]


def test_a_variant_is_converted_once(model, tmp_path, monkeypatch):
    path = cached_variant("fp16", model, tmp_path)
    assert path.parent == tmp_path
    monkeypatch.setattr(precision_variants, "convert_precision", None)
    assert cached_variant("fp16", model, tmp_path) == path


def test_another_model_has_another_file(folder, tmp_path):
    first = cached_variant("fp16", folder / "model.onnx", tmp_path)
    content = convert_precision("fp32", (folder / "model.onnx").read_bytes(), folder)
    (folder / "model.onnx").write_bytes(content)
    assert cached_variant("fp16", folder / "model.onnx", tmp_path) != first


def test_simultaneous_starts_share_one_file(model, tmp_path):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: cached_variant("fp16", model, tmp_path / "cache"), range(4)))
    assert len(set(found)) == 1
    assert list((tmp_path / "cache").iterdir()) == [found[0]]
    assert found[0].read_bytes() == convert_precision("fp16", model.read_bytes(), model)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_cache_that_cannot_be_written_is_only_a_warning(tiny_folder, tmp_path, monkeypatch, number):
    def full(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(paths.os, "fsync", full)
    with structlog.testing.capture_logs() as logs:
        model = load(tiny_folder, precision="fp16", cache_dir=tmp_path / "cache")
    assert model.predict(["late"])
    assert list((tmp_path / "cache").iterdir()) == []
    assert [(entry["event"], entry["log_level"]) for entry in logs if "form" in entry] == [
        ("model_form_not_kept", "warning")
    ]


def test_no_onnx_package_names_the_extra(model, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"fp16 variant of a model needs the extra 'gpu'"):
        cached_variant("fp16", model, tmp_path)


def test_unreadable_graphs_are_named(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"\x00nothing")
    with pytest.raises(ModelError, match=r"model\.onnx is not an ONNX file"):
        cached_variant("fp16", tmp_path / "model.onnx", tmp_path)
    with pytest.raises(ModelError, match=r"absent\.onnx cannot be read"):
        cached_variant("fp16", tmp_path / "absent.onnx", tmp_path)


def test_a_written_folder_is_complete_and_names_its_precision(tiny_folder, tmp_path):
    assert write_variant("fp16", tiny_folder, tmp_path / "half") == "half@1"
    assert read_manifest(tmp_path / "half").form == "fp16"
    assert load(tmp_path / "half").predict(["late"])
    with pytest.raises(ModelError, match="half exists; give another --output"):
        write_variant("fp16", tiny_folder, tmp_path / "half")


def test_an_fp16_model_is_not_converted_again(tiny_folder, tmp_path):
    write_variant("fp16", tiny_folder, tmp_path / "half")
    model = tmp_path / "half" / "model.onnx"
    assert convert_precision("fp16", model.read_bytes(), model) == model.read_bytes()
    assert load(tmp_path / "half", precision="fp16", cache_dir=tmp_path / "cache").predict(["late"])
    with pytest.raises(ModelError, match="is fp16: rounded weights cannot be restored"):
        convert_precision("fp32", model.read_bytes(), model)


def test_a_damaged_model_is_not_converted(folder, tmp_path):
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json is not there"):
        write_variant("fp32", folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing(tiny_folder, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(ModelError, match="No space left on device; nothing was left there"):
        write_variant("fp32", tiny_folder, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
