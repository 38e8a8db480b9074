import json
import shutil
from pathlib import Path

import pytest

from triage.cli.main import main

TINY = Path(__file__).resolve().parent.parent / "assets" / "tiny-model"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Two models, of which the first serves and the second is damaged."""
    shutil.copytree(TINY, tmp_path / "onnx" / "first")
    (tmp_path / "onnx" / "second").mkdir()
    (tmp_path / "onnx" / "second" / "manifest.json").write_text('{"format": 1}')
    (tmp_path / "onnx" / "first" / "CARD.md").write_text("# The first card\n")
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
    assert json.loads((TINY / "manifest.json").read_text())["version"] in first
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
    assert code_of("model", "list", "--json", "--set", f"model.path={TINY}") == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["folder"] for entry in entries if entry["serves"]] == [str(TINY)]
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
