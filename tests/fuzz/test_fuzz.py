"""A few seconds of `make fuzz`, with the same inputs in every run."""

import subprocess
import sys

import pytest
from checkout import ROOT

SECONDS = 2
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("targets", ["rows,records,rules,alert-rules,settings,models", "console,frames", "api,probes"])
def test_no_input_is_answered_wrongly(targets, tmp_path):
    minutes = str(SECONDS * len(targets.split(",")) / 60)
    ended = subprocess.run(
        [sys.executable, ROOT / "tests" / "fuzz" / "run.py", "--minutes", minutes, "--seed", "1", "--only", targets,
         "--findings", tmp_path / "found"],
        check=False, capture_output=True, text=True, timeout=300, cwd=tmp_path,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for target in targets.split(","):
        assert f"{target}: " in ended.stdout


def test_an_input_is_tried_again_and_an_unknown_target_is_named(tmp_path):
    def run(*flags):
        command = [sys.executable, ROOT / "tests" / "fuzz" / "run.py", "--findings", tmp_path / "found", *flags]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, cwd=tmp_path)

    (tmp_path / "input").write_bytes(b"version: [")
    assert run("--only", "rules", "--input", tmp_path / "input").returncode == 0
    unknown = run("--only", "rulez")
    assert unknown.returncode == 2
    assert "no such target: rulez; known: " in unknown.stderr
