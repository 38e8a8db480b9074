#!/usr/bin/env bash
# A NiceGUI server that a pytest test starts as a process of its own ends with a KeyError.
#
# Library:    nicegui 3.18.0, pytest 9.2.0
# Expected:   A process is not in a test because its parent is one.
# Seen:       NiceGUI asks whether PYTEST_CURRENT_TEST is in the environment, which every subprocess of a test
#             inherits, and then wants the port of its own test client:
#                 from a shell: answers on its port
#                 from a test: KeyError: 'NICEGUI_SCREEN_TEST_PORT'
# Why:        The honest end-to-end test, a real server and a real browser, is the one that fails, with an error
#             that names neither pytest nor the cause. Where the server is mounted with `ui.run_with` nothing fails,
#             but it differs from the one in production (no compression of responses, other storage and shutdown).
# Workaround: Start it with an environment without PYTEST_CURRENT_TEST.
# See also:   no report was found
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet nicegui==3.18.0 pytest==9.2.0
cat >"$work/console.py" <<'PYTHON'
import sys

from nicegui import ui

ui.run(root=lambda: ui.label("console"), host="127.0.0.1", port=int(sys.argv[1]), show=False, reload=False)
PYTHON
cat >"$work/start.py" <<'PYTHON'
"""Starts the console as a process of its own, and says what became of it."""

import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def start():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    console = Path(__file__).with_name("console.py")
    process = subprocess.Popen([sys.executable, console, str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    until = time.monotonic() + 60
    try:
        while process.poll() is None and time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=5):
                    return "answers on its port"
            except OSError:
                time.sleep(0.2)
        return process.communicate(timeout=5)[0].decode().strip().splitlines()[-1] if process.poll() else "nothing"
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    print("from a shell:", start())
PYTHON
cat >"$work/test_console.py" <<'PYTHON'
from start import start


def test_console():
    print("from a test:", start())
PYTHON
cd "$work"
seen=$(env -u PYTEST_CURRENT_TEST venv/bin/python start.py
    venv/bin/python -m pytest -q -s -p no:cacheprovider test_console.py | grep "from a test")
echo "$seen"
[ "$seen" = "from a shell: answers on its port
from a test: KeyError: 'NICEGUI_SCREEN_TEST_PORT'" ] || { echo "the behaviour has changed" >&2; exit 1; }
