"""The alerter's own tasks survive an unexpected error."""

import asyncio
import threading
from types import SimpleNamespace

import pytest

from triage.alerting.app import process
from triage.alerting.app.process import Alerter
from triage.alerting.rules.model import AlertRules
from triage.clock import ManualClock
from triage.config import load_settings
from triage.errors import ConfigError, Unavailable
from triage.metrics import Metrics
from triage.runtime.health import Health


@pytest.fixture
def alerter(monkeypatch):
    monkeypatch.setattr(process, "_WATCH_S", 0.001)
    clock = ManualClock()
    return Alerter(load_settings(None, {}), clock, Metrics(), Health(clock))


class Scripted:
    """Each call takes the next of `script`: raises what is an exception, returns all else."""

    def __init__(self, *script):
        self.script = list(script)
        self.calls = []

    def __call__(self, *arguments):
        self.calls.append(arguments)
        outcome = self.script.pop(0) if self.script else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def watch(alerter, until):
    task = asyncio.create_task(alerter._watch_rules())
    async with asyncio.timeout(10):
        while not until():
            assert not task.done()
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.asyncio
async def test_rules_that_could_not_be_applied_are_applied_again(alerter, monkeypatch, capsys):
    rules, later = AlertRules([]), AlertRules([], zone="Asia/Shanghai")
    monkeypatch.setattr(alerter._rules, "poll", Scripted(OSError("odd"), rules, None, None, later))
    alerter._app = app = type("App", (), {})()
    app.reload = Scripted(RuntimeError("odd"), RuntimeError("odd"))
    await watch(alerter, lambda: len(app.reload.calls) == 4)
    assert app.reload.calls == [(rules,), (rules,), (rules,), (later,)]
    said = capsys.readouterr().out
    assert said.count("] rules_not_applied ") == 3
    assert "Traceback" in said


class Faust:
    """An app that never recovers and whose state cannot be read."""

    crash_reason = None
    in_recovery = True
    tables = None


@pytest.mark.asyncio
async def test_state_that_this_version_does_not_read_ends_the_process(alerter, monkeypatch):
    class App:
        def __init__(self, *_, **__):
            self.faust = type("Faust", (), {"crash_reason": ConfigError("of a newer alerter"), "in_recovery": False})

        async def start(self):
            await asyncio.sleep(3600)

        async def stop(self):
            pass

    monkeypatch.setattr("triage.alerting.app.faust_app.AlerterApp", App)
    with pytest.raises(ConfigError, match="newer alerter"):
        await alerter._run_app(process.Topology(partitions=1, replicas=1, raw=frozenset()))


@pytest.mark.asyncio
async def test_an_error_of_the_monitor_starts_a_new_app(alerter, monkeypatch):
    closed = []

    class App:
        def __init__(self, *_, **__):
            self.faust = Faust()

        async def start(self):
            await asyncio.sleep(3600)

        async def stop(self):
            closed.append(self)

    monkeypatch.setattr("triage.alerting.app.faust_app.AlerterApp", App)
    with pytest.raises(Unavailable, match="AttributeError"):
        await alerter._run_app(process.Topology(partitions=1, replicas=1, raw=frozenset()))
    assert len(closed) == 1


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@pytest.mark.asyncio
async def test_it_is_not_ready_while_no_broker_answers_although_its_windows_move(alerter, monkeypatch):
    monkeypatch.setattr(process, "_PROBE_EVERY_S", 0.001)
    answers = {"now": Unavailable("kafka", "no broker answered")}

    def probe(settings, *, timeout_s):
        if isinstance(answers["now"], Exception):
            raise answers["now"]

    monkeypatch.setattr(process, "wait_for_kafka", probe)
    alerter._on_progress()
    assert alerter._health.ready()[0]
    watch = asyncio.create_task(alerter._watch_brokers())
    await until(lambda: not alerter._health.ready()[0])
    alerter._on_progress()
    ready, about = alerter._health.ready()
    assert (ready, about["waiting_for"]) == (False, {"kafka": "kafka: no broker answered"})
    answers["now"] = None
    await until(lambda: not alerter._unreachable)
    alerter._on_progress()
    assert alerter._health.ready()[0]
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)


@pytest.mark.asyncio
async def test_it_is_not_ready_while_its_group_does_not_let_it_work(alerter, monkeypatch):
    monkeypatch.setattr(process, "_PROBE_EVERY_S", 0.001)
    monkeypatch.setattr(process, "wait_for_kafka", lambda settings, *, timeout_s: None)
    watch = asyncio.create_task(alerter._watch_brokers())
    await asyncio.sleep(0.01)
    alerter._on_progress()
    alerter._clock.advance(21)
    await until(lambda: not alerter._health.ready()[0])
    assert "has not let it work for 21 s" in alerter._health.ready()[1]["waiting_for"]["kafka"]
    alerter._on_progress()
    assert alerter._health.ready()[0]
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)


@pytest.mark.asyncio
async def test_after_a_healthy_run_the_first_wait_is_short_again(alerter, monkeypatch):
    runs, waits = [0, 0, 0, 0, 0, 59, 61, 0], []

    async def run_app(topology):
        alerter._healthy_s = None
        healthy_s = runs.pop(0)
        if healthy_s:
            alerter._on_progress()
            alerter._clock.advance(healthy_s)
            alerter._on_progress()
        raise Unavailable("kafka", "gone")

    async def wait(error, wait_s):
        waits.append(wait_s)
        if not runs:
            alerter._stop.set()

    async def given(*_):
        return True

    follower = type("Follower", (), {"stop": lambda self: None})
    monkeypatch.setattr(process, "follow_actions", lambda *_: follower())
    monkeypatch.setattr(alerter._instance, "wait_until_free", lambda *_: None)
    for name in ("_read_topology", "_wait_for_actions", "_prime"):
        monkeypatch.setattr(alerter, name, given)
    monkeypatch.setattr(alerter, "_run_app", run_app)
    monkeypatch.setattr(alerter, "_wait", wait)
    await alerter._run()
    bounds = [0.5, 1, 2, 4, 8, 16, 0.5, 1]
    assert all(bound / 2 <= wait_s <= bound for wait_s, bound in zip(waits, bounds, strict=True)), waits


@pytest.mark.asyncio
async def test_it_says_why_it_can_not_start_without_the_actions_of_people(alerter):
    error = Unavailable("kafka", "no broker leads feedback.alert-actions/0")
    reader = SimpleNamespace(started=True, caught_up=threading.Event(), check=lambda: None, error=error)
    waiting = asyncio.create_task(alerter._wait_for_actions(reader))
    await until(lambda: "no broker leads" in str(alerter._health.ready()))
    reader.caught_up.set()
    assert await waiting
