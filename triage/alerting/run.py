"""The alerter as a process: waits for Kafka, runs the Faust app, starts it again when it fails, ends on a signal."""

import asyncio
import contextlib
import logging
import os
import signal
import warnings
from dataclasses import dataclass
from typing import Any

from triage.alerting.notifiers import build_notifiers
from triage.alerting.rules import AlertRules, check, load_alert_rules
from triage.clock import Clock
from triage.config import KafkaSettings, Settings
from triage.elastic.client import connect
from triage.errors import ConfigError, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.pipeline.health import Health
from triage.pipeline.retry import backoff
from triage.types import Channel

log = get_logger("triage.alerter")

_STOP_S = 10.0
_WATCH_S = 0.2
_STALLED_S = 60.0


@dataclass(frozen=True)
class Layout:
    """What the alerter must know of the brokers: partitions of `window-counts`, its replicas, the raw partitions."""

    partitions: int
    replicas: int
    raw: frozenset[Partition]


def load(settings: Settings) -> AlertRules:
    """The rules in force. Raises ConfigError with every problem of rules and settings."""
    problems = check(settings)
    if problems:
        raise ConfigError(problems, where="alerting")
    return load_alert_rules(settings.alerting.rules, settings.alerting.dimensions, settings.alerting.window_s)


def read_layout(settings: KafkaSettings, channels: list[str], clock: Clock) -> Layout:
    """Ask the brokers. Raises ConfigError if a topic is missing, Unavailable, AccessDenied."""
    from triage.topics import require_topics
    from triage.topics.connect import admin_client
    from triage.topics.definitions import RAW_TOPICS

    counts = settings.topic("window-counts")
    names = [RAW_TOPICS[Channel(channel)] for channel in channels]
    raw = [settings.topic(name) for name in names]
    require_topics(settings, ["window-counts", "alerts", *names], clock=clock)
    with admin_client(settings, clock=clock) as admin:
        described: dict[str, list[dict[str, Any]]] = {
            topic["name"]: topic["partitions"] for topic in admin.describe_topics([counts, *raw])
        }
    return Layout(
        partitions=len(described[counts]),
        replicas=min(len(partition["replica_nodes"]) for partition in described[counts]),
        raw=frozenset((name, index) for name in raw for index in range(len(described[name]))),
    )


class Alerter:
    """Runs until `stop`; a failure of the group or its connection is survived by joining again."""

    def __init__(self, settings: Settings, clock: Clock, metrics: Metrics, health: Health) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._health = health
        self._rules = load(settings)
        self._stop = asyncio.Event()

    def run(self) -> None:
        """Block until SIGTERM or SIGINT. Raises ConfigError or AccessDenied for what waiting cannot mend."""
        _quiet_libraries()
        asyncio.run(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        waits = backoff(0.5, 30)
        while not self._stop.is_set():
            try:
                layout = await self._layout()
                if layout is None:
                    return
                await self._once(layout)
            except Unavailable as error:
                await self._wait(error, next(waits))
            else:
                waits = backoff(0.5, 30)

    async def _layout(self) -> Layout | None:
        """The brokers' layout, or None if told to stop while waiting for it."""
        self._health.waiting_for("kafka", "connecting")
        settings = self._settings
        probe = asyncio.create_task(
            asyncio.to_thread(read_layout, settings.kafka, list(settings.worker.channels), self._clock)
        )
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({probe, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        return probe.result() if probe.done() else None

    async def _once(self, layout: Layout) -> None:
        """One life of the Faust app. Raises Unavailable when it failed."""
        from triage.alerting.app import AlerterApp

        settings = self._settings
        client = connect(settings.elasticsearch)
        app = AlerterApp(
            settings,
            self._rules,
            self._clock,
            self._metrics,
            build_notifiers(settings.alerting),
            client,
            partitions=layout.partitions,
            replicas=layout.replicas,
            expected=set(layout.raw),
            on_progress=self._progressed,
        )
        starting = asyncio.create_task(app.start())
        stopped = asyncio.create_task(self._stop.wait())
        crashed = asyncio.create_task(_failure_of(app.faust, self._clock))
        try:
            await asyncio.wait({stopped, crashed, starting}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done() and starting.exception() is None and not stopped.done():
                log.info("alerter_started", rules=len(self._rules.rules), partitions=layout.partitions)
                await asyncio.wait({stopped, crashed}, return_when=asyncio.FIRST_COMPLETED)
            reason = starting.exception() if starting.done() else None
            reason = reason or (crashed.result() if crashed.done() else None)
        finally:
            for task in (starting, stopped, crashed):
                task.cancel()
            await asyncio.gather(starting, stopped, crashed, return_exceptions=True)
            await self._close(app)
            client.close()
        if reason is not None and not self._stop.is_set():
            raise Unavailable("kafka", f"the alerter's connection failed: {reason!r}") from reason

    async def _close(self, app: Any) -> None:
        try:
            async with asyncio.timeout(_STOP_S):
                await app.stop()
        except TimeoutError:
            log.warning(
                "stop_timed_out", after_s=_STOP_S, lost="nothing: pages owed are stored and sent at the next start"
            )
        except Exception as error:  # noqa: BLE001
            # It is being thrown away; what matters is in the changelog.
            log.warning("stop_failed", error=repr(error))

    async def _wait(self, error: Unavailable, wait_s: float) -> None:
        self._metrics.retries.labels("kafka").inc()
        self._health.waiting_for("kafka", str(error))
        log.warning("kafka_unavailable", error=str(error), retry_in_s=round(wait_s, 1))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), wait_s)

    def _progressed(self) -> None:
        self._health.recovered()
        self._health.beat()

    def _on_signal(self, number: int) -> None:
        if self._stop.is_set():
            os._exit(1)
        log.info("stopping", signal=signal.Signals(number).name)
        self._stop.set()
        # Whatever hangs, the process ends: what is owed is in the changelog.
        asyncio.get_running_loop().call_later(_STOP_S + 5, os._exit, 1)


async def _failure_of(app: Any, clock: Clock) -> BaseException:
    """Why the Faust app must be started anew: it crashed, or its recovery stands still."""
    remaining, since_s = None, clock.monotonic()
    while app.crash_reason is None:
        await asyncio.sleep(_WATCH_S)
        now_s = clock.monotonic()
        before, remaining = remaining, app.tables.recovery.active_remaining_total() if app.in_recovery else None
        if remaining is None or remaining != before:
            since_s = now_s
        elif now_s - since_s > _STALLED_S:
            return Unavailable("kafka", f"recovery of the state stands still with {remaining} records to read")
    reason: BaseException = app.crash_reason
    return reason


def _quiet_libraries() -> None:
    """Faust 0.15 on Python 3.11 and later: known, harmless and not ours to mend."""
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"(faust|mode|aiokafka)\b")
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger(name).level))
