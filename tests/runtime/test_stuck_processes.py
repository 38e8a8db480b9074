"""A process that stands still ends with status 70, also when native code holds the interpreter's lock."""

import subprocess
import sys

import pytest

SLEEPS = "time.sleep(300)"
# Python's own engine holds the lock for as long as it takes: for hours.
HOLDS_THE_LOCK = "re.search('(a|a)*b', 'a' * 60)"
WATCHED = """
import re, time
from triage.clock import SystemClock
from triage.runtime.health import Health
from triage.runtime.watchdog import Watchdog

clock = SystemClock()
health = Health(clock, stuck_after_s=1)
with Watchdog(health, clock, 1, 0.5):
    {work}
"""
SERVICE = """
import re, sys, time
import triage.{package}.serve as service
from triage.config import load_settings


def run(app, listening, settings, beat):
    beat()
    {work}


service.run = run
service.serve(load_settings(None, {{
    "worker.stuck_after_s": 2, "worker.stuck_exit_s": 0, "{section}.port": 0, "kafka.request_timeout_ms": 1000,
    "elasticsearch.url": "http://127.0.0.1:9", "kafka.bootstrap_servers": "127.0.0.1:9",
}}))
"""
ALERTER = f"""
import re
from triage.alerting.app.process import Alerter
from triage.cli.main import main


async def run(self):
    {HOLDS_THE_LOCK}


Alerter._run = run
main(["alerter", "--health-port", "0", "--set", "kafka.request_timeout_ms=1000", "--set", "worker.stuck_after_s=2",
     "--set", "worker.stuck_exit_s=0"])
"""


def _run(program):
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("work", [SLEEPS, HOLDS_THE_LOCK])
def test_status_and_stacks(work):
    ended = _run(WATCHED.format(work=work))
    assert ended.returncode == (70 if sys.platform == "linux" or work is SLEEPS else 1), ended.stderr
    assert "line 10 in <module>" in ended.stderr or "<string>:10 <module>" in ended.stdout


@pytest.mark.parametrize(
    ("package", "section", "work"), [("console", "console", HOLDS_THE_LOCK), ("serving", "api", SLEEPS)]
)
@pytest.mark.slow
def test_console_and_api_are_watched(package, section, work, tmp_path):
    ended = _run(SERVICE.format(package=package, section=section, work=work))
    assert ended.returncode == (70 if sys.platform == "linux" or work is SLEEPS else 1), ended.stderr


@pytest.mark.slow
def test_the_alerter_is_watched(tmp_path):
    ended = _run(ALERTER)
    assert ended.returncode == (70 if sys.platform == "linux" else 1), ended.stderr


def test_what_ends_in_time_is_left_alone():
    ended = _run(WATCHED.format(work="health.beat()") + "time.sleep(4)\nprint('done')")
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr
