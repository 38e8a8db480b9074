"""`triage demo --once`, as a stranger runs it: one alert for the surge, all counts agree, nothing is left running."""

import os
import re
import subprocess
import sys

import pytest
from checkout import ROOT


@pytest.mark.demo
@pytest.mark.skipif(bool(os.environ.get("TRIAGE_TEST_KAFKA")), reason="the demo brings its own stack")
def test_the_whole_system_runs_once_and_reconciles(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    demo = subprocess.run(
        [sys.executable, "-m", "triage", "demo", "--once", "--seconds", "120", "--data-dir", str(tmp_path / "demo")],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    output = demo.stdout + demo.stderr
    assert demo.returncode == 0, output[-4000:]
    assert re.search(r"alerts fired / resolved │\s+1 / 1", demo.stdout), output
    assert re.search(r"■ resolved .*Delivery complaints.*peak \d+ of \d+", demo.stderr), output
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    assert left == ""
