"""Two alerters of one instance: the second is refused, or the one whose place was taken ends, by name."""

import asyncio
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from triage.alerting.app.faust_app import AlerterApp
from triage.alerting.app.instance import Instance
from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import ConfigError, Unavailable

SETTINGS = load_settings(None, {"alerting.instance": "a", "alerting.session_timeout_s": 10})


def instance(*members, host="one", pid=7, alive=(8,)):
    return Instance(SETTINGS, host=host, pid=pid, alive=lambda found: found in alive, members=lambda: list(members))


@pytest.mark.parametrize(
    ("member", "other"),
    [
        ("feedback.alerter-a@one.8", "one.8"),
        ("feedback.alerter-a@two.example.8", "two.example.8"),
        ("feedback.alerter-a@two.7", "two.7"),
        ("feedback.alerter-a@one.9", None),  # dead
        ("feedback.alerter-a@one.7", None),  # this process, or the one before it in its container
        ("feedback.alerter-b@one.8", None),  # another instance
        ("feedback.alerter-a", None),  # an alerter before this version says no more
        ("other", None),
    ],
)
def test_another_process_in_this_one_s_place_is_seen(member, other):
    assert instance("feedback.alerter-b@one.8", member).other() == other


def test_a_process_names_itself_and_hosts_with_odd_names_too():
    assert instance().client_id == "feedback.alerter-a@one.7"
    assert instance(host="my host@home").client_id == "feedback.alerter-a@my-host-home.7"
    assert Instance(SETTINGS).client_id.endswith(f".{os.getpid()}")


def test_a_dead_process_is_told_from_a_live_one():
    def of(pid):
        return Instance(SETTINGS, host="one", members=lambda: [f"feedback.alerter-a@one.{pid}"])

    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    assert of(process.pid).other() == f"one.{process.pid}"
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    if sys.platform == "linux":
        assert of(process.pid).other() is None, "a zombie"
    process.wait()
    assert of(process.pid).other() is None


def test_a_second_one_waits_for_the_session_and_is_refused_with_what_to_do():
    clock = ManualClock()
    started = clock.monotonic()
    with pytest.raises(
        ConfigError, match=r"two\.8 .*runs as instance 'a' of the group feedback\.alerter; .*--instance"
    ):
        instance("feedback.alerter-a@two.8").wait_until_free(clock, threading.Event())
    assert 15 <= clock.monotonic() - started <= 18


def test_it_starts_once_the_dead_one_has_left_and_if_nobody_can_be_asked():
    clock, members = ManualClock(), [["feedback.alerter-a@two.8"]] * 4
    found = Instance(SETTINGS, host="one", members=lambda: members.pop() if members else [])
    found.wait_until_free(clock, threading.Event())
    assert members == []

    def away():
        raise Unavailable("kafka", "no broker answered")

    Instance(SETTINGS, members=away).wait_until_free(clock, threading.Event())
    stopped = threading.Event()
    stopped.set()
    instance("feedback.alerter-a@two.8").wait_until_free(clock, stopped)


class Revoked:
    """What `AlerterApp._on_revoked` uses of its app."""

    _end_if_replaced = AlerterApp._end_if_replaced

    def __init__(self, found):
        self._instance = found
        self._engines = {0: SimpleNamespace(discard=lambda: None)}
        self._outbox = self._ended = SimpleNamespace(drop=lambda: None)
        self.faust = SimpleNamespace(should_stop=False, crash=self._crash)
        self.crashed = []

    async def _crash(self, reason):
        self.crashed.append(reason)


@pytest.mark.asyncio
async def test_one_whose_place_was_taken_ends_before_it_joins_again():
    app = Revoked(instance("feedback.alerter-a@one.8"))
    revoked = asyncio.create_task(AlerterApp._on_revoked(app))
    async with asyncio.timeout(10):
        while not app.crashed:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert isinstance(app.crashed[0], ConfigError)
    assert not revoked.done(), "its consumer does not join meanwhile"
    revoked.cancel()
    await asyncio.gather(revoked, return_exceptions=True)


@pytest.mark.asyncio
@pytest.mark.parametrize("members", [["feedback.alerter-a@one.7"], None])
async def test_a_usual_rebalance_ends_nothing(members):
    def read():
        if members is None:
            raise Unavailable("kafka", "away")
        return members

    app = Revoked(Instance(SETTINGS, host="one", pid=7, members=read))
    await AlerterApp._on_revoked(app)
    assert (app.crashed, app._engines) == ([], {})
