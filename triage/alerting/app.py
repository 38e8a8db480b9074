"""The Faust app: window counts in, engines per partition, pages and alerts out."""

import asyncio
from collections.abc import Callable
from typing import Any

import faust
import msgspec
from elasticsearch import Elasticsearch

from triage.alerting.archive import Archive, IndexWriter
from triage.alerting.consumer import ReadCommittedTransport
from triage.alerting.delivery import Delivery
from triage.alerting.engine import Changes, Intent, PartitionEngine
from triage.alerting.evidence import IndexEvidence
from triage.alerting.kafka import SEPARATOR, PartitionTable, credentials
from triage.alerting.notifiers import Notification, Notifier
from triage.alerting.rules import AlertRules
from triage.clock import Clock
from triage.config import Settings
from triage.errors import Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.schemas.alert import Alert, AlertStatus
from triage.schemas.counts import CountMessage

log = get_logger("triage.alerter")

_BATCH = 2_000
_BATCH_WAIT_S = 0.2
_TICK_S = 1.0
_EVIDENCE_S = 8.0
_ARCHIVES = 2


class AlerterApp:
    """One alerter: a member of the group that shares the partitions of `window-counts`."""

    def __init__(
        self,
        settings: Settings,
        rules: AlertRules,
        clock: Clock,
        metrics: Metrics,
        notifiers: list[Notifier],
        elasticsearch: Elasticsearch,
        *,
        partitions: int,
        replicas: int,
        expected: set[Partition],
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._clock = clock
        self._metrics = metrics
        self._expected = expected
        self._receivers = [notifier.name for notifier in notifiers]
        self._on_progress = on_progress
        self._decoder = msgspec.json.Decoder(CountMessage)
        self._engines: dict[int, PartitionEngine] = {}
        self._owners: dict[str, int] = {}
        self._stored: dict[tuple[str, int], int] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._delivery = Delivery(notifiers, settings.alerting, clock, metrics, self._delivered)
        self._evidence = IndexEvidence(elasticsearch, settings.elasticsearch)
        self._archives = (
            Archive("elasticsearch", IndexWriter(elasticsearch, settings.elasticsearch), self._archived),
            Archive("kafka", self._publish, self._archived),
        )
        self.faust = faust_app(settings, partitions, replicas)
        self._source = settings.kafka.topic("window-counts")
        self._alerts = self.faust.topic(
            settings.kafka.topic("alerts"),
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
        )
        counts = self.faust.topic(
            self._source, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        self._table: PartitionTable = self.faust.Table(
            "state", partitions=partitions, key_type=str, value_type=None, on_recover=self._recovered
        )
        self.faust.agent(counts, name="window-counts")(self._consume)
        self.faust.timer(_TICK_S, name="tick")(self._tick)
        self.faust.on_partitions_revoked.connect(self._on_revoked)
        self.faust.on_partitions_assigned.connect(self._on_assigned)

    async def start(self) -> None:
        """Join the group and recover; returns when the state is there."""
        self._tasks = {asyncio.create_task(archive.run(), name="archive") for archive in self._archives}
        await self.faust.start()

    async def stop(self) -> None:
        """Leave cleanly; what is owed is in the table."""
        await self.faust.stop()
        await self._delivery.close(grace_s=2.0)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Messages

    async def _consume(self, stream: Any) -> None:
        async for events in stream.take_events(_BATCH, within=_BATCH_WAIT_S):
            touched = set()
            for event in events:
                engine = self._engine(event.message.partition)
                if engine is None:
                    continue
                try:
                    engine.apply(self._decoder.decode(event.value or b""))
                except msgspec.DecodeError as error:
                    message = event.message
                    log.warning(
                        "window_count_not_understood",
                        partition=message.partition,
                        offset=message.offset,
                        error=str(error),
                    )
                touched.add(event.message.partition)
            # Offsets are committed only after this: what they stand for is in the changelog by then.
            for partition in touched:
                await self._advance(partition)
            self._on_progress()

    async def _tick(self) -> None:
        if self.faust.rebalancing:
            return
        for partition in list(self._engines):
            await self._advance(partition)
        self._on_progress()

    async def _advance(self, partition: int) -> None:
        more = True
        while more and (engine := self._engines.get(partition)) is not None:
            more = engine.advance()
            await self._flush(partition, engine)

    async def _flush(self, partition: int, engine: PartitionEngine) -> None:
        """Store what changed, then send and archive it: a page is never sent before it is stored."""
        changes = engine.take_changes()
        if changes.writes:
            await self._write(partition, engine, changes.writes)
        if self._engines.get(partition) is engine:
            self._dispatch(partition, engine, changes)

    async def _write(self, partition: int, engine: PartitionEngine, writes: dict[str, Any]) -> None:
        while self._engines.get(partition) is engine and not self.faust.should_stop:
            for name, value in writes.items():
                key = f"{partition}{SEPARATOR}{name}"
                if value is not None:
                    self._table[key] = value
                elif key in self._table:
                    del self._table[key]
            futures, self._table.unacknowledged = self._table.unacknowledged, []
            results = await asyncio.gather(*futures, return_exceptions=True)
            failures = [result for result in results if isinstance(result, BaseException)]
            if not failures:
                return
            log.warning("state_not_stored", partition=partition, error=str(failures[0]) or repr(failures[0]))
            await asyncio.sleep(1.0)

    # Pages and alerts

    def _dispatch(self, partition: int, engine: PartitionEngine, changes: Changes, *, resent: bool = False) -> None:
        for episode in changes.episodes:
            self._owners[episode.dedup_key] = partition
            self._archive(engine.alert(episode), episode.version)
        for intent in changes.intents:
            self._owners[intent.alert.dedup_key] = partition
        if changes.intents:
            self._spawn(self._send(engine, changes.intents, resent=resent))

    async def _send(self, engine: PartitionEngine, intents: list[Intent], *, resent: bool) -> None:
        evident = {intent.alert.dedup_key for intent in intents if intent.event == "firing"}
        await asyncio.gather(*(self._find_evidence(engine, dedup_key) for dedup_key in evident))
        for intent in intents:
            alert = intent.alert
            found = engine.evidence(alert.dedup_key)
            if found is not None and intent.event == "firing":
                alert = msgspec.structs.replace(
                    alert,
                    top_intents=found.top_intents,
                    top_entities=found.top_entities,
                    examples=found.examples,
                )
            # After a rebalance the owner's new engine sends what is owed.
            if self._engine_of(alert.dedup_key) is engine:
                self._delivery.submit(Notification(intent.event, alert, resent), list(intent.pending))

    async def _find_evidence(self, engine: PartitionEngine, dedup_key: str) -> None:
        episode = engine.episode(dedup_key)
        if episode is None or episode.evidence is not None:
            return
        try:
            async with asyncio.timeout(_EVIDENCE_S):
                found = await asyncio.to_thread(self._evidence, engine.alert(episode), episode.end_ms)
        except TimeoutError:
            log.warning("page_without_examples", dedup_key=dedup_key, error=f"no answer within {_EVIDENCE_S:g} s")
            return
        if found is not None and (after := engine.attach(dedup_key, found)) is not None:
            self._archive(engine.alert(after), after.version)

    def _delivered(self, dedup_key: str, event: AlertStatus, receiver: str) -> None:
        if (engine := self._engine_of(dedup_key)) is not None:
            engine.delivered(dedup_key, event, receiver)
            self._spawn(self._flush(self._owners[dedup_key], engine))

    def _archive(self, alert: Alert, version: int) -> None:
        self._stored.pop((alert.dedup_key, version), None)
        for archive in self._archives:
            archive.put(alert, version)

    def _archived(self, dedup_key: str, version: int) -> None:
        done = self._stored.get((dedup_key, version), 0) + 1
        self._stored[dedup_key, version] = done
        if done < _ARCHIVES:
            return
        del self._stored[dedup_key, version]
        if (engine := self._engine_of(dedup_key)) is not None:
            engine.archived(dedup_key, version)

    async def _publish(self, alert: Alert, version: int) -> None:
        del version
        try:
            sent = await self._alerts.send(key=alert.dedup_key.encode(), value=msgspec.json.encode(alert))
            await sent
        except Exception as error:
            raise Unavailable("kafka", f"alert not published: {error!r}") from error

    # Ownership

    def _engine(self, partition: int) -> PartitionEngine | None:
        """The engine of an assigned partition, from the table's state where it is not there yet."""
        engine = self._engines.get(partition)
        if engine is None and partition in self._assigned():
            engine = PartitionEngine(
                self._rules,
                self._settings.alerting,
                self._clock,
                self._metrics,
                receivers=self._receivers,
                expected=self._expected,
            )
            engine.restore(self._table.entries(partition))
            self._engines[partition] = engine
            owed = engine.take_changes()
            if owed.intents:
                log.info("pages_owed", partition=partition, pages=len(owed.intents))
            self._dispatch(partition, engine, owed, resent=True)
        return engine

    def _engine_of(self, dedup_key: str) -> PartitionEngine | None:
        partition = self._owners.get(dedup_key)
        return None if partition is None else self._engines.get(partition)

    def _assigned(self) -> set[int]:
        return {tp.partition for tp in self.faust.consumer.assignment() if tp.topic == self._source}

    async def _recovered(self) -> None:
        """The table is whole again after a start or a rebalance."""
        partitions = self._assigned()
        self._table.forget_others(partitions)
        for partition in sorted(partitions):
            self._engine(partition)
        log.info("state_recovered", partitions=sorted(partitions), entries=len(self._table.data))

    async def _on_revoked(self, sender: Any, revoked: Any, **_: Any) -> None:
        """Engines are rebuilt from the table once the new assignment has been recovered."""
        del sender, revoked
        keys = set(self._owners)
        self._engines.clear()
        self._owners.clear()
        self._stored.clear()
        self._delivery.cancel(keys)
        for archive in self._archives:
            archive.drop(keys)

    async def _on_assigned(self, sender: Any, assigned: Any, **_: Any) -> None:
        del sender
        log.info("partitions_assigned", partitions=sorted(tp.partition for tp in assigned if tp.topic == self._source))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_report_failure)


def faust_app(settings: Settings, partitions: int, replicas: int) -> faust.App:
    """Faust with our settings; topics that are not Faust's own are made by `triage topics apply`."""
    kafka, alerting = settings.kafka, settings.alerting
    name = kafka.topic(alerting.group)
    alerting.data_dir.mkdir(parents=True, exist_ok=True)
    brokers = [f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")]
    app = faust.App(
        name,
        broker=";".join(brokers),
        broker_credentials=credentials(kafka),
        broker_client_id=f"{name}-{alerting.instance}",
        broker_session_timeout=alerting.session_timeout_s,
        broker_heartbeat_interval=max(0.3, alerting.session_timeout_s / 4),
        broker_request_timeout=max(kafka.request_timeout_ms / 1000, alerting.session_timeout_s + 1),
        broker_commit_interval=1.0,
        consumer_group_instance_id=f"{name}-{alerting.instance}",
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        store="memory://",
        datadir=alerting.data_dir,
        Table=PartitionTable,
        table_standby_replicas=0,
        topic_partitions=partitions,
        topic_replication_factor=replicas,
        topic_disable_leader=True,
        reply_create_topic=False,
        web_enabled=False,
        canonical_url=f"http://{alerting.instance}.invalid",
        autodiscover=False,
        logging_config=None,
    )
    app.transport = ReadCommittedTransport(app.conf.broker_consumer, app)
    return app


def _report_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task_failed", task=task.get_name(), exc_info=error)
