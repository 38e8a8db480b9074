import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from triage.cli import export, parity, train
from triage.errors import MissingExtraError

TINY = Path(__file__).resolve().parents[1] / "assets" / "tiny-model"


def call(command, *arguments):
    import typer

    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def no_torch(monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "torch" else real(name, *a))


@pytest.mark.parametrize(
    ("command", "arguments", "feature"),
    [
        (train.command, ("--base", "b", "--output", "o"), "triage train"),
        (export.command, ("--checkpoint", "c", "--output", "o"), "triage export"),
        (parity.command, ("--checkpoint", "c", "--model", "m"), "triage parity"),
    ],
)
def test_without_torch_the_extra_is_named(no_torch, command, arguments, feature):
    error = call(command, *arguments).exception
    assert isinstance(error, MissingExtraError)
    assert str(error) == f"{feature} needs the extra 'train': pip install 'triage[train]'"
    assert error.exit_code == 2


def test_evaluate_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['transformers'] = None\n"
        "import triage.training.evaluate, triage.training.card, triage.training.workflow, triage.cli.evaluate"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_evaluate_prints_a_row_for_each_head_and_writes_the_figures(tmp_path):
    import json

    rows = [
        {"text": "my parcel never arrived", "intent": "delivery", "sentiment": "negative"},
        {"text": "快递三天还没到，气死我了", "intent": "delivery", "sentiment": "negative", "entities": []},
        {"text": "How do I reset my password?", "intent": "account_access", "sentiment": "neutral"},
    ]
    own = tmp_path / "own.jsonl"
    own.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    output = tmp_path / "figures.json"
    command = ["evaluate", "--model", str(TINY), "--own", str(own), "--output", str(output)]
    result = subprocess.run([sys.executable, "-m", "triage", *command], check=True, capture_output=True, text=True)
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["head", "pack", "texts", "macro_f1", "macro_recall", "accuracy", "f1", "ece"]
    assert [line.split()[:3] for line in lines[1:]] == [
        ["intent", "own", "3"],
        ["sentiment", "own", "3"],
        ["entities", "own", "1"],
    ]
    figures = json.loads(output.read_text(encoding="utf-8"))["packs"]["own"]
    assert figures["intent"]["accuracy"] == 1.0
    assert figures["sentiment"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("model", "row", "code", "message"),
    [
        ("absent", '{"text": "a"}', 2, "no model folder at"),
        (str(TINY), '{"text": "a", "intent": "nonsense"}', 1, "line 1: intent 'nonsense' is not in the taxonomy"),
    ],
)
def test_evaluate_names_what_is_wrong(tmp_path, model, row, code, message):
    own = tmp_path / "own.jsonl"
    own.write_text(row + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "triage", "evaluate", "--model", model, "--own", str(own)]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    assert result.returncode == code
    assert message in result.stderr
    assert result.stdout == ""
