"""The alerter's process: waits for Kafka, runs the Faust app, starts a new one when it fails, ends on a signal."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from triage.alerting.app.actions import ActionBook, follow_actions
from triage.alerting.app.compat import quiet_libraries, recovery_remaining
from triage.alerting.app.instance import Instance
from triage.alerting.app.topology import Topology, read_topology
from triage.alerting.engine.priming import Primed, prime
from triage.alerting.notifiers import build_notifiers
from triage.alerting.rules.model import AlertRules
from triage.alerting.rules.reload import RuleWatch
from triage.clock import Clock
from triage.config import Settings
from triage.elastic.client import connect
from triage.errors import TriageError, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.retries.backoff import backoff
from triage.runtime.health import Health
from triage.schemas.action import Action
from triage.topics.connect import wait_for_kafka
from triage.topics.follower import TopicFollower

log = get_logger("triage.alerter")

_STOP_S = 10.0
_WATCH_S = 0.2
_BEAT_S = 1.0
_STALLED_S = 60.0
_HEALTHY_S = 60.0
_PROBE_EVERY_S = 5.0
_SILENT_S = 20.0


class Alerter:
    """The alerter's process: runs the Faust app until a signal arrives.

    If the app or its connection fails, a new app is started, which joins the consumer group again.
    """

    def __init__(
        self, settings: Settings, clock: Clock, metrics: Metrics, health: Health, prime_from: int | Path | None = None
    ) -> None:
        """Read the rules. `prime_from` is the source of first baselines of spike rules, None to learn from the start.

        It is a number of seconds of the index's history, or a backtest's file. Raises ConfigError for rules that are
        not valid.
        """
        self._prime_from = prime_from
        self._primed: Primed | None = None
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._health = health
        self._rules = RuleWatch(settings.alerting, clock, metrics)
        self._actions = ActionBook()
        self._app: Any = None
        self._stop = asyncio.Event()
        self._stopping = threading.Event()
        self._instance = Instance(settings)
        # Monotonic seconds: of the last progress, and of the first one of the running app.
        self._progress_s = clock.monotonic()
        self._healthy_s: float | None = None
        self._unreachable = False

    def run(self) -> None:
        """Run the alerter until SIGTERM or SIGINT. Raises ConfigError or AccessDenied, which a retry cannot resolve."""
        quiet_libraries()
        asyncio.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        loop.add_signal_handler(signal.SIGHUP, self._rules.request)
        actions = follow_actions(self._settings.kafka, lambda action: _call_on_loop(loop, self._on_action, action))
        tasks = [asyncio.create_task(self._watch_rules()), asyncio.create_task(self._beat())]
        waits = backoff(0.5, 30)
        try:
            while not self._stop.is_set():
                try:
                    topology = await self._read_topology()
                    if topology is None or not await self._wait_for_actions(actions):
                        return
                    await asyncio.to_thread(self._instance.wait_until_free, self._clock, self._stopping)
                    await self._prime()
                    await self._run_app(topology)
                except Unavailable as error:
                    if self._was_healthy():
                        waits = backoff(0.5, 30)
                    await self._wait(error, next(waits))
                else:
                    waits = backoff(0.5, 30)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.to_thread(actions.stop)

    async def _beat(self) -> None:
        """Tell the watchdog that the event loop moves, until cancelled: also while it waits for Kafka."""
        while True:
            self._health.beat()
            await asyncio.sleep(_BEAT_S)

    async def _prime(self) -> None:
        if self._prime_from is not None and self._primed is None:
            log.info("priming", source=str(self._prime_from))
            self._primed = await asyncio.to_thread(
                prime, self._prime_from, self._settings, self._rules.rules, self._clock
            )

    def _was_healthy(self) -> bool:
        """True if the app that has just ended made progress for so long that its end is a new failure."""
        since_s, self._healthy_s = self._healthy_s, None
        return since_s is not None and self._progress_s - since_s >= _HEALTHY_S

    def _on_action(self, action: Action) -> None:
        self._actions.put(action)
        if self._app is not None:
            self._app.act(action)

    async def _wait_for_actions(self, reader: TopicFollower) -> bool:
        """Wait until all silences are known: no step may be evaluated before. False if it stops meanwhile."""
        if not reader.started:
            reader.start()
        while not reader.caught_up.is_set():
            if self._stop.is_set():
                return False
            reader.check()
            if (error := reader.error) is not None:
                self._health.waiting_for("kafka", str(error))
            await asyncio.sleep(0.05)
        return True

    async def _watch_rules(self) -> None:
        """Hand changed rules to the running app, until cancelled. After a failure it tries the same rules again."""
        waits, wait_s = backoff(_WATCH_S, 30), _WATCH_S
        changed: AlertRules | None = None
        while True:
            await asyncio.sleep(wait_s)
            try:
                changed = self._rules.poll() or changed
                if changed is not None and self._app is not None:
                    self._app.reload(changed)
            except Exception:
                wait_s = next(waits)
                log.exception("rules_not_applied", retry_in_s=round(wait_s, 1))
            else:
                # A new app starts with the current rules.
                changed = None
                waits, wait_s = backoff(_WATCH_S, 30), _WATCH_S

    async def _read_topology(self) -> Topology | None:
        """Ask the brokers for the topology. None if it stops meanwhile."""
        self._health.waiting_for("kafka", "connecting")
        settings = self._settings
        probe = asyncio.create_task(
            asyncio.to_thread(read_topology, settings.kafka, list(settings.worker.channels), self._clock)
        )
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({probe, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        return probe.result() if probe.done() else None

    async def _run_app(self, topology: Topology) -> None:
        """Run one Faust app until it or this process stops.

        Raises Unavailable if the app failed and a new one can be started, or the app's error if no retry can solve it.
        """
        from triage.alerting.app.faust_app import AlerterApp

        settings = self._settings
        client = connect(settings.elasticsearch)
        app = AlerterApp(
            settings,
            self._rules.rules,
            self._clock,
            self._metrics,
            build_notifiers(settings.alerting),
            client,
            partitions=topology.partitions,
            replicas=topology.replicas,
            min_in_sync=topology.min_in_sync,
            expected=set(topology.raw),
            actions=self._actions,
            primed=self._primed,
            on_progress=self._on_progress,
            instance=self._instance,
            health=self._health,
        )
        self._app, self._healthy_s = app, None
        brokers = asyncio.create_task(self._watch_brokers())
        starting = asyncio.create_task(app.start())
        stopped = asyncio.create_task(self._stop.wait())
        crashed = asyncio.create_task(_wait_for_failure(app.faust, self._clock))
        try:
            await asyncio.wait({stopped, crashed, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and starting.exception() is None and not stopped.done():
                log.info("alerter_started", rules=len(self._rules.rules.rules), partitions=topology.partitions)
                await asyncio.wait({stopped, crashed}, return_when=asyncio.FIRST_COMPLETED)
            reason = starting.exception() if starting.done() else None
            if reason is None and crashed.done():
                reason = crashed.exception() or crashed.result()
        finally:
            tasks = (starting, stopped, crashed, brokers)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._app = None
            await self._close(app)
            client.close()
        if reason is not None and not self._stop.is_set():
            if isinstance(reason, TriageError) and not reason.retriable:
                raise reason
            raise Unavailable("kafka", f"the alerter's app failed: {reason!r}") from reason

    async def _close(self, app: Any) -> None:
        try:
            async with asyncio.timeout(_STOP_S):
                await app.stop()
        except TimeoutError:
            log.warning(
                "stop_timed_out", after_s=_STOP_S, lost="nothing: pending pages are stored and sent at the next start"
            )
        except Exception as error:  # noqa: BLE001
            # The app is thrown away; its state is in the changelog.
            log.warning("stop_failed", error=repr(error))

    async def _wait(self, error: Unavailable, wait_s: float) -> None:
        self._metrics.retries.labels(error.dependency).inc()
        self._health.outage(error.dependency, str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait_s)

    def seconds_since_progress(self) -> float:
        return self._clock.monotonic() - self._progress_s

    def _on_progress(self) -> None:
        self._progress_s = self._clock.monotonic()
        if self._healthy_s is None:
            self._healthy_s = self._progress_s
        if not self._unreachable:
            # What else it waits for (an index to be mended, a batch that can't be read) goes by itself.
            self._health.recovered("kafka")
            self._health.recovered("elasticsearch")

    async def _watch_brokers(self) -> None:
        """Report in `/ready` when no broker answers, or the group makes no progress, until cancelled.

        The consumer only tries again, and windows that are due close by the clock: nothing else would show it.
        """
        self._progress_s = self._clock.monotonic()
        while True:
            await asyncio.sleep(_PROBE_EVERY_S)
            try:
                await asyncio.to_thread(wait_for_kafka, self._settings.kafka, timeout_s=0)
            except TriageError as error:
                self._unreachable = True
                self._metrics.retries.labels("kafka").inc()
                self._health.outage("kafka", str(error))
                continue
            if self._unreachable:
                self._unreachable = False
                self._health.recovered("kafka")
            if (silent_s := self._clock.monotonic() - self._progress_s) > _SILENT_S:
                self._health.waiting_for("kafka", f"the group has not let it work for {silent_s:.0f} s")

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            os._exit(1)
        log.info("stopping", signal=signal.Signals(number).name)
        self._stop.set()
        self._stopping.set()
        # The process ends even if something hangs: the state is in the changelog.
        asyncio.get_running_loop().call_later(_STOP_S + 5, os._exit, 1)


def _call_on_loop(loop: asyncio.AbstractEventLoop, call: Callable[[Action], None], action: Action) -> None:
    # The loop may have ended before the follower's thread.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, action)


async def _wait_for_failure(app: Any, clock: Clock) -> BaseException:
    """Wait until the Faust app has crashed, or its recovery makes no progress; returns the reason."""
    remaining: int | None = None
    since_s = clock.monotonic()
    while app.crash_reason is None:
        await asyncio.sleep(_WATCH_S)
        now_s = clock.monotonic()
        before, remaining = remaining, recovery_remaining(app)
        if remaining is None or remaining != before:
            since_s = now_s
        elif now_s - since_s > _STALLED_S:
            return Unavailable("kafka", f"recovery of the state makes no progress, with {remaining} records to read")
    reason: BaseException = app.crash_reason
    return reason
