"""`triage demo --once`, as a stranger runs it: one alert, a worker killed in mid-stream, and all counts agree."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Timer

import pytest
from checkout import ROOT


@contextmanager
def _limit(seconds, process):
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@pytest.mark.demo
@pytest.mark.skipif(bool(os.environ.get("TRIAGE_TEST_KAFKA")), reason="the demo brings its own stack")
def test_the_whole_system_runs_once_and_reconciles(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIAGE_")}
    command = [
        sys.executable,
        "-m",
        "triage",
        "demo",
        "--once",
        "--seconds",
        "120",
        "--data-dir",
        str(tmp_path / "demo"),
    ]
    started = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with started as demo, _limit(900, demo), ThreadPoolExecutor(1) as threads:
        table = threads.submit(demo.stdout.read)
        said = []
        for line in demo.stderr:
            said.append(line)
            if "■ firing" in line:
                worker = re.search(r"kill -9 (\d+)", "".join(said))
                os.kill(int(worker[1]), signal.SIGKILL)
    output = table.result() + "".join(said)
    assert demo.returncode == 0, output[-4000:]
    assert re.search(r"alerts fired / resolved │\s+1 / 1", table.result()), output
    assert "worker was ended by SIGKILL: started again" in output
    assert re.search(r"■ resolved .*Delivery complaints.*peak \d+ of \d+", "".join(said)), output
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True, check=False).stdout
    assert left == ""
