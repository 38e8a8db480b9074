"""Promotion and rollback: CURRENT is switched atomically, and only to models that passed their checks."""

import errno
import hashlib
import json
import os
import shutil
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from triage import paths
from triage.config import load_settings
from triage.errors import ConfigError, ModelError
from triage.inference import promotion
from triage.inference.history import Change, previous_of, read_history
from triage.inference.model_files import update_manifest
from triage.inference.promotion import promote, rollback


@pytest.fixture
def registry(tmp_path, tiny_folder):
    """Three models: a@1, b@2, and one of another taxonomy."""
    root = tmp_path / "registry"
    for name, changes in (("a", {"version": "1"}), ("b", {"version": "2"}), ("shop", {"taxonomy": "shop-7"})):
        _edit(Path(shutil.copytree(tiny_folder, root / name)), **changes)
    return root


def _edit(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


@pytest.fixture
def settings(registry):
    return load_settings(None, {"model.registry": registry, "model.device": "cpu", "model.threads": 1})


def _current(registry):
    return (registry / "CURRENT").read_text()


def _files(registry):
    return {path.name: path.read_bytes() for path in registry.iterdir() if path.is_file()}


def test_promote_and_back(registry, settings, clock):
    assert promote(settings, "a", clock).version == "tiny-model@1"
    assert _current(registry) == "a\n"
    switched = promote(settings, "b", clock)
    assert (switched.version, switched.change.previous, switched.warnings) == ("tiny-model@2", "a", [])
    assert rollback(settings, clock).version == "tiny-model@1"
    assert _current(registry) == "a\n"
    assert [(change.action, change.previous, change.name) for change in read_history(registry)] == [
        ("promote", None, "a"),
        ("promote", "a", "b"),
        ("rollback", "b", "a"),
    ]
    with pytest.raises(ModelError, match="nothing to go back to"):
        rollback(settings, clock)


def test_promoting_the_serving_model_changes_nothing(registry, settings, clock):
    promote(settings, "a", clock)
    before = _files(registry)
    assert promote(settings, "a", clock).change is None
    assert _files(registry) == before


def test_an_unknown_name_is_refused_with_the_known_ones(registry, settings, clock):
    with pytest.raises(ModelError, match=r"no model 'c' in .*registry; there: a, b, shop"):
        promote(settings, "c", clock)
    assert _files(registry) == {}


def test_model_path_overrides_promotion(registry, tiny_folder, clock):
    settings = load_settings(None, {"model.registry": registry, "model.path": tiny_folder})
    with pytest.raises(ConfigError, match=r"model\.path is .*: it decides which model serves"):
        promote(settings, "a", clock)


def _flip_a_byte(folder):
    content = bytearray((folder / "model.onnx").read_bytes())
    content[-5] ^= 1
    (folder / "model.onnx").write_bytes(content)


def _resign(folder, name, content):
    """Another file with a manifest that matches: only running the model can tell."""
    (folder / name).write_bytes(content)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    _edit(folder, files=files | {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}})


def _untrained(folder):
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(folder / "model.onnx")
    for tensor in graph.graph.initializer:
        if tensor.data_type == onnx.TensorProto.INT8:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 0, tensor.name))
    _resign(folder, "model.onnx", graph.SerializeToString())


def _with_a_new_token(folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    highest = max([*tokenizer["model"]["vocab"].values(), *(token["id"] for token in tokenizer["added_tokens"])])
    added = {"id": highest + 1, "content": "Frobnicator", "special": False, "single_word": False}
    tokenizer["added_tokens"].append({**added, "lstrip": False, "rstrip": False, "normalized": True})
    _resign(folder, "tokenizer.json", json.dumps(tokenizer).encode())


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        (_flip_a_byte, r"model\.onnx is damaged: its SHA-256"),
        (lambda folder: (folder / "tokenizer.json").unlink(), r"tokenizer\.json is not there"),
        (lambda folder: _resign(folder, "tokenizer.json", b"{}"), "is not a readable tokenizer"),
        (lambda folder: _resign(folder, "model.onnx", b"graph"), r"model\.onnx cannot be loaded"),
        (lambda folder: _edit(folder, intents=["one", "two"]), "not of one export"),
        (lambda folder: _edit(folder, max_tokens=0), "max_tokens is 0"),
        (_with_a_new_token, "has token ids up to 3,500, but the model knows 3,500 tokens"),
        (lambda folder: _edit(folder, pad_id=3500), "has token ids up to 3,500"),
        (_untrained, "predicts the same for 7 different texts"),
    ],
)
def test_a_broken_model_is_not_promoted(registry, settings, clock, breakage, message):
    promote(settings, "a", clock)
    before = _files(registry)
    breakage(registry / "b")
    with pytest.raises(ModelError, match=message):
        promote(settings, "b", clock, force=True)
    assert _files(registry) == before


def test_rules_that_name_other_labels_refuse_unless_forced(registry, settings, clock):
    promote(settings, "a", clock)
    intents = json.loads((registry / "shop" / "manifest.json").read_text())["intents"]
    _edit(registry / "shop", intents=["parcels", *intents[1:]])
    with pytest.raises(
        ModelError, match=r"taxonomy shop-7\) does not know labels that the rules name:\n(.|\n)*delivery"
    ):
        promote(settings, "shop", clock)
    assert _current(registry) == "a\n"
    warnings = promote(settings, "shop", clock, force=True).warnings
    assert any("no such intent: delivery" in warning for warning in warnings)
    assert any("taxonomy changes from 1 to shop-7" in warning for warning in warnings)
    assert _current(registry) == "shop\n"


def _measured(folder, banking77):
    packs = {"banking77": {"intent": {"macro_f1": banking77}}, "check_zh": {"intent": {"macro_f1": 0.8}}}
    (folder / "metrics.json").write_text(json.dumps({"packs": packs, "limit": None}), "utf-8")
    update_manifest(folder)


def test_a_model_that_has_forgotten_is_refused_unless_forced(registry, settings, clock):
    _measured(registry / "a", 0.95)
    _measured(registry / "b", 0.931)
    promote(settings, "a", clock)
    with pytest.raises(ModelError, match=r"on its test sets (.|\n)*intent on banking77: 95.0 to 93.1"):
        promote(settings, "b", clock)
    assert _current(registry) == "a\n"
    assert promote(settings, "b", clock, force=True).warnings == ["loses intent on banking77: 95.0 to 93.1"]


def test_a_rollback_is_not_held_up_by_figures(registry, settings, clock):
    _measured(registry / "a", 0.90)
    _measured(registry / "b", 0.95)
    promote(settings, "a", clock)
    promote(settings, "b", clock)
    assert rollback(settings, clock).warnings == []


def test_a_model_without_figures_is_taken_with_a_warning(registry, settings, clock):
    _measured(registry / "a", 0.95)
    (registry / "b" / "metrics.json").unlink(missing_ok=True)
    update_manifest(registry / "b")
    promote(settings, "a", clock)
    (warning,) = promote(settings, "b", clock).warnings
    assert warning.startswith(
        "nothing tells what tiny-model@2 has forgotten on banking77, check_zh: measure it by `triage"
    )


def test_a_model_that_finds_no_persons_is_refused_where_names_are_redacted(registry, settings, clock):
    manifest = json.loads((registry / "a" / "manifest.json").read_text("utf-8"))
    tags = [tag.replace("person", "brand") for tag in manifest["entity_tags"]]
    _edit(registry / "b", entity_tags=tags)
    assert promote(settings, "b", clock).version == "tiny-model@2"
    names = load_settings(
        None, {"model.registry": registry, "model.device": "cpu", "model.threads": 1, "redaction.names": True}
    )
    assert promote(names, "a", clock).version == "tiny-model@1"
    with pytest.raises(ModelError, match=r"redaction\.names needs .* entity label person; tiny-model@2 has brand"):
        promote(names, "b", clock)
    with pytest.raises(ModelError, match=r"set redaction\.names = false"):
        promote(names, "b", clock, force=True)


def test_another_taxonomy_with_the_same_labels_only_warns(registry, settings, clock):
    promote(settings, "a", clock)
    assert ["taxonomy changes" in warning for warning in promote(settings, "shop", clock).warnings] == [True]


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "no space left in .*, nothing was changed"),
        (errno.EROFS, r"cannot be written here \(Read-only file system\), nothing was changed: promote where"),
        (errno.EIO, "cannot be written, nothing was changed"),
    ],
)
@pytest.mark.parametrize("nth", [1, 2], ids=["at the history", "at CURRENT"])
def test_a_disk_that_fails_changes_nothing(registry, settings, clock, monkeypatch, number, message, nth):
    promote(settings, "a", clock)
    before = _files(registry)
    calls = iter(range(1, 10))

    def failing(descriptor):
        if next(calls) == (nth if nth == 1 else 3):  # file and folder are synced for each file
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(paths.os, "fsync", failing)
    with pytest.raises(ModelError, match=message):
        promote(settings, "b", clock)
    monkeypatch.undo()
    assert _files(registry) == before


def test_a_crash_between_the_two_writes_promotes_nothing(registry, settings, clock, monkeypatch):
    promote(settings, "a", clock)
    promote(settings, "b", clock)
    real = promotion.replace_file

    def crash(path, content):
        if path.name == "CURRENT":
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(promotion, "replace_file", crash)
    with pytest.raises(KeyboardInterrupt):
        promote(settings, "shop", clock)
    monkeypatch.undo()
    assert _current(registry) == "b\n"
    assert rollback(settings, clock).change.name == "a"
    with pytest.raises(ModelError, match="nothing to go back to"):
        rollback(settings, clock)


def test_simultaneous_promotions_are_serialized(registry, settings, clock):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: promote(settings, name, clock), ["a", "b", "shop", "a"]))
    history = read_history(registry)
    assert history[-1].name == _current(registry).strip()
    assert [change.name for change in history[:-1]] == [change.previous for change in history[1:]]


def test_the_pointer_can_be_read_by_a_worker_of_another_user(registry, settings, clock):
    promote(settings, "a", clock)
    assert stat.S_IMODE((registry / "CURRENT").stat().st_mode) & 0o044


def _changes(*moves):
    return [Change("2026-11-22T00:00:00.000Z", action, previous, name, "v") for action, previous, name in moves]


@pytest.mark.parametrize(
    ("moves", "current", "previous"),
    [
        ([], "a", None),
        ([("promote", None, "a")], "a", None),
        ([("promote", "a", "b"), ("promote", "b", "c")], "c", "b"),
        ([("promote", "a", "b"), ("promote", "b", "c"), ("rollback", "c", "b")], "b", "a"),
        ([("promote", "a", "b"), ("rollback", "b", "a"), ("promote", "a", "c")], "c", "a"),
        ([("promote", "a", "b")], "by-hand", "b"),
        ([("promote", "a", "b"), ("promote", "b", "c")], "b", "a"),
    ],
)
def test_the_model_that_a_rollback_restores(moves, current, previous):
    assert previous_of(_changes(*moves), current) == previous


def test_an_incomplete_last_line_of_the_history_is_skipped(registry, settings, clock):
    promote(settings, "a", clock)
    with (registry / "HISTORY").open("ab") as file:
        file.write(b'{"at": "2026')
    assert len(read_history(registry)) == 1
    promote(settings, "b", clock)
    assert rollback(settings, clock).change.name == "a"
