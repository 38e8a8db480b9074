"""Each file of a model folder is listed in the manifest with its hash, or the folder is refused."""

import json

import numpy as np
import onnx
import pytest
from checkout import SHIPPED_MODEL, TINY_MODEL
from cli import run

from triage.config import ModelSettings, load_settings
from triage.errors import ModelError
from triage.inference.catalog import list_entries
from triage.inference.manifest import read_manifest
from triage.inference.model import OnnxModel
from triage.inference.model_files import record_files, unlisted_files, verify_files
from triage.inference.precision_variants import cached_variant, convert_precision, write_variant
from triage.inference.promotion import promote
from triage.training.release.card import write_card
from triage.training.release.workflow import update_metrics


def load(folder):
    return OnnxModel.load(ModelSettings(path=folder, device="cpu", threads=1))


def refused(folder):
    with pytest.raises(ModelError) as caught:
        load(folder)
    return str(caught.value)


@pytest.fixture
def outside(folder):
    """The copy of the tiny model with its weights in a second file, listed in the manifest."""
    graph = onnx.load(folder / "model.onnx")
    onnx.save(graph, folder / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=64)
    record_files(folder)
    return folder


@pytest.mark.parametrize("folder", [SHIPPED_MODEL, TINY_MODEL], ids=["shipped", "tiny"])
def test_every_file_that_ships_is_listed(folder):
    manifest = read_manifest(folder)
    verify_files(folder, manifest)
    assert unlisted_files(folder, manifest) == []


@pytest.mark.parametrize("name", ["weights.bin", ".hidden", "model.onnx.bak", "below/weights.bin"])
def test_a_file_that_is_not_listed_is_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    problem = refused(folder)
    assert f"holds what its manifest does not list: {name}" in problem
    assert "triage model verify" in problem


def test_links_are_refused_and_an_empty_folder_is_nothing(folder, tmp_path):
    (folder / "lost+found").mkdir()
    load(folder)
    (folder / "elsewhere").symlink_to(tmp_path)
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    assert "does not list: broken, elsewhere" in refused(folder)


def test_of_many_files_some_are_named(folder):
    for number in range(9):
        (folder / f"{number}.txt").touch()
    assert "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 4 more" in refused(folder)


def test_a_changed_card_or_metrics_is_refused(folder):
    (folder / "CARD.md").write_text("better than it is")
    assert "CARD.md is damaged" in refused(folder)


def test_weights_in_a_listed_file_are_served(outside):
    assert load(outside).predict(["late"])[0].intents == load(TINY_MODEL).predict(["late"])[0].intents


def test_weights_in_a_listed_file_that_changed_are_refused(outside):
    weights = bytearray((outside / "weights.bin").read_bytes())
    weights[100] ^= 1
    (outside / "weights.bin").write_bytes(weights)
    assert "weights.bin is damaged: its SHA-256 begins" in refused(outside)


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin"])
def test_weights_that_are_not_listed_are_refused_wherever_they_are(outside, location):
    graph = onnx.load(outside / "model.onnx", load_external_data=False)
    for tensor in graph.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    onnx.save(graph, outside / "model.onnx")
    (outside / "weights.bin").rename(outside / location)
    record_files(outside, ["model.onnx"])
    manifest = json.loads((outside / "manifest.json").read_text())
    del manifest["files"]["weights.bin"]
    (outside / "manifest.json").write_text(json.dumps(manifest))
    problem = refused(outside)
    assert f"model.onnx keeps weights in '{location}', which the manifest does not list" in problem


def test_promotion_list_verify_and_config_check_refuse_it_too(folder, clock, capfd):
    registry = folder.parent
    (folder / "weights.bin").write_bytes(b"x")
    settings = load_settings(None, {"model.registry": registry, "model.device": "cpu"})
    with pytest.raises(ModelError, match=r"does not list: weights\.bin"):
        promote(settings, "tiny-model", clock)
    assert not (registry / "CURRENT").exists()
    (entry,) = list_entries(settings.model)
    assert entry["problem"] == "not in the manifest: weights.bin"
    for command in (("model", "verify", folder), ("config", "check", "--set", f"model.path={folder}")):
        outcome = run(capfd, *command)
        assert outcome.code == 2
        assert "does not list: weights.bin" in outcome.err
    (folder / "weights.bin").unlink()
    (folder / "CARD.md").write_text("short")
    assert list_entries(settings.model)[0]["problem"] == "CARD.md has 5 bytes, the manifest says 3102"
    (folder / "CARD.md").unlink()
    assert list_entries(settings.model)[0]["problem"] == "CARD.md: No such file or directory"


def test_verify_prints_hashes_and_updates_when_told(folder, capfd):
    outcome = run(capfd, "model", "verify", folder)
    assert outcome.code == 0
    assert len(outcome.out.splitlines()) == 4
    (folder / "CARD.md").write_text("# Mine\n")
    (folder / "LICENSE").write_text("Apache-2.0\n")
    (folder / "metrics.json").unlink()
    assert run(capfd, "model", "verify", folder).code == 2
    outcome = run(capfd, "model", "verify", folder, "--update")
    assert outcome.code == 0
    assert [line.split()[1] for line in outcome.out.splitlines()] == [
        "CARD.md", "LICENSE", "model.onnx", "tokenizer.json",
    ]  # fmt: skip
    load(folder)


def test_update_needs_a_manifest_and_the_models_own_files(folder, tmp_path, capfd):
    assert "is not a model folder" in run(capfd, "model", "verify", tmp_path, "--update").err
    (folder / "tokenizer.json").unlink()
    before = (folder / "manifest.json").read_bytes()
    outcome = run(capfd, "model", "verify", folder, "--update")
    assert outcome.code == 2
    assert "tokenizer.json is not there" in outcome.err
    assert (folder / "manifest.json").read_bytes() == before


def test_what_evaluation_writes_is_listed(folder):
    update_metrics(folder, lambda before: {**before, "note": 1})
    verify_files(folder, read_manifest(folder))
    write_card(folder, [])
    verify_files(folder, read_manifest(folder))


def test_a_variant_holds_the_weights_and_lists_its_files(outside, tmp_path):
    write_variant("fp32", outside, tmp_path / "reference")
    assert set(read_manifest(tmp_path / "reference").files) == {"model.onnx", "tokenizer.json"}
    assert np.isclose(
        load(tmp_path / "reference").predict(["late"])[0].sentiment["negative"],
        load(TINY_MODEL).predict(["late"])[0].sentiment["negative"],
        atol=1e-4,
    )


def test_a_cached_variant_belongs_to_the_weights(outside, tmp_path):
    first = cached_variant("fp16", outside / "model.onnx", tmp_path)
    content = (outside / "model.onnx").read_bytes()
    assert first.read_bytes() == convert_precision("fp16", content, outside / "model.onnx")
    weights = bytearray((outside / "weights.bin").read_bytes())
    weights[100] ^= 1
    (outside / "weights.bin").write_bytes(weights)
    assert cached_variant("fp16", outside / "model.onnx", tmp_path) != first
