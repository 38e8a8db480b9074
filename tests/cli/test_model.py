import json
import shutil

import pytest
from checkout import TINY_MODEL
from cli import run

from triage.cli.main import main
from triage.inference.model_files import record_files


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two models, of which the first serves and the second is damaged."""
    shutil.copytree(TINY_MODEL, tmp_path / "onnx" / "first")
    (tmp_path / "onnx" / "second").mkdir()
    (tmp_path / "onnx" / "second" / "manifest.json").write_text('{"format": 1}')
    (tmp_path / "onnx" / "first" / "CARD.md").write_text("# The first card\n")
    record_files(tmp_path / "onnx" / "first")
    (tmp_path / "onnx" / "CURRENT").write_text("first\n")
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path))
    return tmp_path


def code_of(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


def test_list_marks_the_one_that_serves(home, capsys):
    assert code_of("model", "list") == 0
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split()[:3] == ["NAME", "VERSION", "TAXONOMY"]
    assert first.startswith("*")
    assert json.loads((TINY_MODEL / "manifest.json").read_text())["version"] in first
    assert not second.startswith("*")
    assert "lacks name, version" in second


def test_list_as_json(home, capsys):
    assert code_of("model", "list", "--json") == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["serves"] is True
    assert first["folder"] == str(home / "onnx" / "first")
    assert second["name"] == "second"
    assert "problem" in second


def test_list_shows_a_model_elsewhere(home, capsys):
    assert code_of("model", "list", "--json", "--set", f"model.path={TINY_MODEL}") == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["folder"] for entry in entries if entry["serves"]] == [str(TINY_MODEL)]
    assert len(entries) == 3


def test_list_without_any_model(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path))
    assert code_of("model", "list") == 2
    assert "no model: onnx/CURRENT is not there" in capsys.readouterr().err


def test_card_of_the_one_that_serves(home, capsys):
    assert code_of("model", "card") == 0
    assert capsys.readouterr().out == "# The first card\n"


def test_card_by_name(home, capsys):
    assert code_of("model", "card", "first") == 0
    assert capsys.readouterr().out == "# The first card\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [("third", "no model 'third' in onnx/; there: first, second"), ("second", "this model has no card")],
)
def test_card_that_is_not_there(home, capsys, name, message):
    assert code_of("model", "card", name) == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def registry(tmp_path):
    """Two models of one taxonomy outside the checkout; none serves yet."""
    for name, version in (("a", "1"), ("b", "2")):
        shutil.copytree(TINY_MODEL, tmp_path / "models" / name)
        manifest = tmp_path / "models" / name / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"version": version}))
    return tmp_path / "models"


@pytest.fixture
def model(capfd, registry):
    flags = ("--set", f"model.registry={registry}", "--set", "model.device=cpu", "--set", "model.threads=1")
    return lambda *arguments: run(capfd, "model", *arguments, *flags)


def test_promote_list_and_roll_back(model, registry):
    assert model("promote", "a").out == "tiny-model@1\n"
    promoted = model("promote", "b")
    assert (promoted.code, promoted.out) == (0, "tiny-model@2\n")
    assert "now serving instead of a" in promoted.err
    _, a, b = model("list").out.splitlines()
    assert (a[0], b[0]) == ("-", "*")
    entries = {entry["name"]: entry for entry in map(json.loads, model("list", "--json").out.splitlines())}
    assert (entries["a"]["previous"], entries["b"]["serves"], entries["b"]["label"]) == (True, True, "tiny-model@2")
    assert set(entries["a"]["figures"]) == {"intent", "sentiment", "entities"}
    assert model("rollback").out == "tiny-model@1\n"
    assert "already serving" in model("promote", "a").err
    assert (registry / "CURRENT").read_text() == "a\n"


@pytest.mark.parametrize(
    ("breakage", "message"),
    [
        (lambda registry: None, "no model 'c' in"),
        (
            lambda registry: (shutil.copytree(TINY_MODEL, registry / "c") / "tokenizer.json").unlink(),
            "tokenizer.json is not",
        ),
        (
            lambda registry: (shutil.copytree(TINY_MODEL, registry / "c") / "model.onnx").write_bytes(b""),
            "is damaged: 0 bytes",
        ),
    ],
)
def test_promote_says_what_is_wrong(model, registry, breakage, message):
    breakage(registry)
    outcome = model("promote", "c")
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert not (registry / "CURRENT").exists()


def test_rollback_without_a_history(model):
    outcome = model("rollback")
    assert outcome.code == 2
    assert "nothing to go back to" in outcome.err


def test_a_registry_that_is_not_there(capfd, tmp_path):
    outcome = run(capfd, "model", "promote", "a", "--set", f"model.registry={tmp_path}/gone")
    assert outcome.code == 2
    assert "no folder at" in outcome.err


def test_compare_by_name_and_folder(model, tmp_path):
    texts = tmp_path / "texts.jsonl"
    rows = ["My parcel never arrived", "I love it", "快递没到"]
    texts.write_text("".join(json.dumps({"text": text}) + "\n" for text in rows) + "{}\n")
    shown = model("compare", "a", TINY_MODEL, texts, "--show", 1)
    assert shown.code == 0
    assert shown.out.startswith("3 texts, tiny-model@1 against tiny-model@1\n")
    assert "texts.jsonl:4" in shown.err
    result = json.loads(model("compare", "a", "b", texts, "--json", "--limit", 2).out)
    assert (result["texts"], result["other"]) == (2, "tiny-model@2")
    assert [head["agreement"] for head in result["heads"]] == [1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("content", ["", "{}\n"])
def test_compare_without_texts(model, tmp_path, content):
    (tmp_path / "texts.jsonl").write_text(content)
    outcome = model("compare", "a", "b", tmp_path / "texts.jsonl")
    assert outcome.code == 2
    assert "texts.jsonl" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either --checkpoint or --model"),
        (("--model", TINY_MODEL, "--checkpoint", TINY_MODEL), "either --checkpoint or --model"),
        (("--model", TINY_MODEL), "add --form"),
        (("--model", "gone", "--form", "fp16"), "is not a model folder"),
    ],
)
def test_export_of_a_form_says_what_is_missing(capfd, tmp_path, arguments, message):
    outcome = run(capfd, "export", "--output", tmp_path / "out", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert not (tmp_path / "out").exists()


def test_export_of_a_form(capfd, tmp_path):
    outcome = run(capfd, "export", "--model", TINY_MODEL, "--form", "fp32", "--output", tmp_path / "reference")
    assert (outcome.code, outcome.out) == (0, "reference@1\n")
    assert json.loads((tmp_path / "reference" / "manifest.json").read_text())["form"] == "fp32"
