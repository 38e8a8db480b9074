import pytest
from typer.testing import CliRunner

from triage.cli import export, parity, train
from triage.errors import MissingExtraError


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
    assert str(error) == f"{feature} needs the extra 'train'; pip install 'triage-feedback[train]'"
    assert error.exit_code == 2
