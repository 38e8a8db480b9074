"""Runs `triage demo`: worker, alerter and console on the local stack, with the sample feed as input.

The worker, the alerter and the console are child processes; the feed and the count of results run on threads of this
process. All are registered on one exit stack and stopped in reverse order of their start.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import httpx
from pydantic import SecretStr

from triage.clock import SystemClock
from triage.config import ENV_PREFIX, ClockSettings, Settings, load_settings
from triage.elastic.client import connect, wait_until_ready
from triage.elastic.plan import apply as apply_index
from triage.elastic.plan import plan_index
from triage.elastic.reading import count, refresh
from triage.errors import TriageError, Unavailable
from triage.local.feed import load_feed
from triage.local.knowledge import DemoKnowledge
from triage.local.pace import Pace
from triage.local.processes import Child, Supervisor, stop_all
from triage.local.replay import Replay
from triage.local.settings_file import write_settings
from triage.local.stack import LocalStack, free_port, is_free
from triage.local.summary import Summary
from triage.local.tally import Tally
from triage.paths import resource
from triage.topics import apply_topics
from triage.topics.definitions import RAW_TOPICS

_LEAD_S = 12.0
_READY_TIMEOUT_S = 90.0
# A slow machine may take long. The demo ends early only if the counts have not changed for this time.
_STALLED_S = 180.0


@dataclass(frozen=True)
class DemoOptions:
    """Options of a run: `days` of simulated time are replayed in `replay_s` seconds of real time.

    `seed` determines the schedule of the feed. With `knowledge`, articles and resolved cases are indexed too.
    """

    days: float = 3.0
    replay_s: float = 180.0
    data_dir: Path = Path(".triage/demo")
    seed: int = 7
    knowledge: bool = True


class Demo:
    """One run of the demo: starts all processes, replays the feed, and stops everything on exit.

    Use it as a context manager. `say` receives progress messages.
    """

    def __init__(self, settings: Settings, options: DemoOptions, say: Callable[[str], None]) -> None:
        self._base = settings
        self._options = options
        self._say = say
        self._children: list[Child] = []
        self._supervisor: Supervisor | None = None
        self._cleanup = contextlib.ExitStack()
        self.settings = settings
        self.tally: Tally
        self.replay: Replay
        self.console_url = ""
        self.settings_file = options.data_dir / "triage.toml"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def pid(self, name: str) -> int:
        """Process id of the child process `worker`, `alerter` or `console`."""
        return next(child.pid for child in self._children if child.name == name)

    def close(self) -> None:
        """Stop the feed, then the child processes, then the local stack."""
        self._cleanup.close()

    def _start(self) -> None:
        options = self._options
        stack = LocalStack(options.data_dir / "stack", self._base.local.kafka_port, self._base.local.elasticsearch_port)
        # The feed's records have fixed ids and new dates in every run: data of an older run would be counted twice.
        stack.wipe()
        shutil.rmtree(options.data_dir / "alerter", ignore_errors=True)
        endpoints = stack.start()
        self._cleanup.callback(stack.stop)
        self._say(f"local stack: Kafka {endpoints.bootstrap_servers}, Elasticsearch {endpoints.elasticsearch_url}")
        end = datetime.now(UTC) + timedelta(seconds=_LEAD_S)
        clock = ClockSettings(
            origin=end - timedelta(days=options.days),
            anchor=end,
            until=end + timedelta(seconds=options.replay_s),
            speed=options.days * 86_400 / options.replay_s,
        )
        flags = self._flags(endpoints.bootstrap_servers, endpoints.elasticsearch_url, clock)
        self.settings = load_settings(None, flags)
        write_settings(self.settings_file, flags)
        self._prepare()
        self._spawn(flags)
        self._replay(clock)

    def _flags(self, bootstrap_servers: str, elasticsearch_url: str, clock: ClockSettings) -> dict[str, object]:
        port = self._base.console.port
        console_port = port if port and is_free(port) else free_port()
        self.console_url = f"http://127.0.0.1:{console_port}"
        data = self._options.data_dir
        return {
            **_flat(self._base),
            "kafka.bootstrap_servers": bootstrap_servers,
            "elasticsearch.url": elasticsearch_url,
            "console.host": "127.0.0.1",
            "console.port": console_port,
            "worker.slot": "demo",
            "worker.health_port": free_port(),
            "worker.heartbeat_interval_ms": 1_000,
            "alerting.rules": str(self._base.alerting.rules or resource("topics/feed/alert-rules.yaml")),
            "market.path": str(self._base.market.path or resource("topics/feed/market.yaml")),
            "guide.words": str(self._base.guide.words or resource("topics/feed/guide.yaml")),
            "alerting.data_dir": str(data / "alerter"),
            "alerting.health_port": free_port(),
            "alerting.console_url": self.console_url,
            # A second of real time is most of an hour of simulated time: lag of a slow machine must not suppress the
            # alert.
            "alerting.max_page_age_s": 2 * 86_400,
            # A slow machine processes one partition after the other: windows must wait for partitions that lag behind,
            # or the surge would be counted late.
            "alerting.max_hold_s": 3_600,
            # Event times are simulated, the broker's timestamps are real.
            "worker.max_ahead_s": 0,
            "clock.origin": clock.origin,
            "clock.anchor": clock.anchor,
            "clock.until": clock.until,
            "clock.speed": clock.speed,
        }

    def _prepare(self) -> None:
        apply_topics(self.settings.kafka)
        client = connect(self.settings.elasticsearch)
        self._cleanup.callback(client.close)
        wait_until_ready(client, self.settings.elasticsearch, SystemClock())
        apply_index(client, plan_index(client, self.settings.elasticsearch, SystemClock()))
        self._say("topics and index applied")
        self.tally = Tally(self.settings.kafka, [self.settings.kafka.topic(name) for name in RAW_TOPICS.values()])
        self.tally.start()
        self._cleanup.callback(self.tally.stop)

    def _spawn(self, flags: dict[str, object]) -> None:
        environment = {
            f"{ENV_PREFIX}{name.upper().replace('.', '__')}": _text(value)
            for name, value in flags.items()
            if value is not None
        }
        logs = self._options.data_dir / "logs"
        self._cleanup.callback(lambda: stop_all(self._children))
        for name in ("worker", "alerter", "console"):
            self._children.append(Child(name, [name], environment, logs / f"{name}.log"))
        self._say(f"worker, alerter and console started; logs in {logs}")
        self._wait_ready("worker", f"http://127.0.0.1:{self.settings.worker.health_port}/ready")
        self._wait_ready("console", f"{self.console_url}/live")
        if self._options.knowledge:
            knowledge = DemoKnowledge({**os.environ, **environment}, logs / "knowledge.log", self._say)
            self._cleanup.callback(knowledge.stop)
            knowledge.start()
        # Only what was ready once is started again: a process that cannot start ends the demo.
        self._supervisor = Supervisor(self._children, SystemClock(), self._say)

    def _wait_ready(self, name: str, url: str) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while time.monotonic() < deadline:
            self.check()
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(url, timeout=2).is_success:
                    return
            time.sleep(0.2)
        raise Unavailable(name, f"not ready at {url} after {_READY_TIMEOUT_S:g} s; see its log")

    def _replay(self, clock: ClockSettings) -> None:
        assert clock.origin is not None
        feed = load_feed()
        items = list(feed.schedule(clock.origin, self._options.days, self._options.seed))
        topics = {channel: self.settings.kafka.topic(name) for channel, name in RAW_TOPICS.items()}
        origin_ms = int(clock.origin.timestamp() * 1000)
        self.replay = Replay(self.settings.kafka, topics, items, len(items), origin_ms, self.settings.clock.build())
        self._cleanup.callback(self.replay.stop)
        self.replay.start()
        self._say(f"replaying {len(items):,} records of {self._options.days:g} days in {self._options.replay_s:g} s")

    def check(self) -> None:
        """Restart child processes that have ended.

        Raises ChildDiedError if one ends before all are ready, or repeatedly, and TriageError if a thread of the demo
        has failed.
        """
        if self._supervisor is not None:
            self._supervisor.check()
        else:
            for child in self._children:
                child.check()
        for part in (getattr(self, "replay", None), getattr(self, "tally", None)):
            if part is not None and part.error is not None:
                raise TriageError(f"the demo's own {type(part).__name__.lower()} failed: {part.error}") from part.error

    def watch(self) -> Iterator[None]:
        """Yield several times a second until the run is complete, or no count has changed for 3 minutes after the feed.

        It is complete when the feed was sent, every record is enriched or dead-lettered, and all alerts are resolved.
        """
        complete_since: float | None = None
        pace = Pace(self.replay.total, self._options.replay_s)
        counts, changed_at = (0, 0, 0, 0), time.monotonic()
        while True:
            self.check()
            totals = self.tally.totals
            complete = (
                self.replay.done
                and totals.enriched + totals.dead_lettered >= self.replay.sent
                and bool(totals.alerts)
                and totals.open_alerts == 0
            )
            now = time.monotonic()
            remark = pace.remark(now, self.replay.sent, totals.enriched + totals.dead_lettered, done=self.replay.done)
            if remark is not None:
                self._say(remark)
            latest = (totals.enriched, totals.dead_lettered, len(totals.alerts), totals.open_alerts)
            if not self.replay.done or latest != counts:
                counts, changed_at = latest, now
            complete_since = (complete_since or now) if complete else None
            # Two more seconds, in which duplicates would arrive.
            if (complete_since and now - complete_since > 2) or now - changed_at > _STALLED_S:
                return
            yield
            time.sleep(0.25)

    def summary(self) -> Summary:
        """Count the records sent, in the topics and in Elasticsearch; `problems` says where these numbers differ."""
        client = connect(self.settings.elasticsearch)
        try:
            alias = self.settings.elasticsearch.index_prefix
            refresh(client, alias)
            indexed = count(client, alias, {"match_all": {}})
        finally:
            client.close()
        return Summary.of(self.replay.sent, self.tally.totals, indexed)


def _flat(settings: Settings) -> dict[str, object]:
    """The settings that were set explicitly, by dotted name; the child processes have the defaults of the others."""
    flat: dict[str, object] = {}
    for section in settings.model_fields_set:
        values = getattr(settings, section)
        flat |= {f"{section}.{name}": getattr(values, name) for name in values.model_fields_set}
    return flat


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, dict)):
        return json.dumps(value)
    return str(value)
