"""Every benchmark that is a command prints its help."""

import json
import subprocess
import sys

import pytest
from checkout import ROOT

COMMANDS = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text("utf-8"))
# One process for all: what they import in common, which takes most of the time, is imported once.
_PRINT_ALL = """
import contextlib, io, json, runpy, sys
printed = {}
for name in sys.argv[1:]:
    sys.argv = [name, "--help"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)
            status = "it went on after its help"
        except SystemExit as end:
            status = end.code
        except Exception as error:
            status = repr(error)
    printed[name] = status, out.getvalue()
print(json.dumps(printed))
"""


@pytest.fixture(scope="module")
def printed():
    run = subprocess.run(
        [sys.executable, "-c", _PRINT_ALL, *COMMANDS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_the_benchmarks_are_found():
    assert {"alerts", "inference", "pipe", "pipeline", "quality"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_benchmark_prints_its_help(printed, name):
    status, out = printed[name]
    assert status in {0, None}
    assert "usage:" in out
