"""The Faust application: window counts in; pages and alerts out. It holds an engine for each assigned partition.

*Threads.* Everything here runs on the process's event loop, except Faust's consumer, which polls in a thread of its own
and hands over records through queues, and the look-ups and index writes of the outbox.

*Tasks.* Faust runs the agent (`_consume`, batches of counts), a timer once a second (`_tick`, so that windows close
without new counts) and the callbacks of rebalances. The outbox's tasks call `_flush` when a delivery has changed an
engine. All of them may work on one engine in turn; a lock per partition keeps its flushes in order.

*Order of a flush.* Take the engine's changes, write them to the table, wait until the brokers have them in the
changelog, then send and archive. Offsets are committed only after that. What a crash interrupts is therefore repeated,
never lost: counts are merged idempotently, pages have the same dedup key.

*What may block.* Nothing blocks the loop. A flush waits for the brokers as long as they are unavailable. Only pages
don't wait longer than 15 s: then they are sent before they are stored.

*Failures.* An unexpected error in applying or storing counts crashes the Faust app: part of the work is only in memory
then. `process` starts a new one, whose engines are rebuilt from the changelog and which reads the counts again.

*Rebalances.* When partitions are revoked, all engines are thrown away and the outbox forgets them. After Faust has read
the changelog of the new assignment (`_recovered`), engines are rebuilt, and their pending notifications are sent again.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
from elasticsearch import Elasticsearch

from triage import tracing
from triage.alerting.app.actions import ActionBook
from triage.alerting.app.compat import SEPARATOR, PartitionTable, leave_unacknowledged
from triage.alerting.app.faust_config import faust_app
from triage.alerting.app.instance import Instance
from triage.alerting.delivery.archive import IndexReader, IndexWriter, Write
from triage.alerting.delivery.ended_alerts import EndedAlerts
from triage.alerting.delivery.outbox import Outbox
from triage.alerting.engine.engine import PartitionEngine
from triage.alerting.engine.priming import Primed, primed_for_partition
from triage.alerting.evidence.queries import IndexEvidence
from triage.alerting.notifiers import Notifier
from triage.alerting.rules.model import AlertRules
from triage.clock import Clock
from triage.config import Settings
from triage.elastic.search import Conditions
from triage.errors import IndexUnusable, NotUnderstood, TriageError, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.batch import Partition
from triage.runtime.health import Health
from triage.schemas.action import Action, Comment, Judge, Silence
from triage.schemas.alert import Alert
from triage.schemas.counts import CountMessage
from triage.schemas.message import MessageDecoder
from triage.topics.definitions import RAW_TOPICS
from triage.translations import places_of

log = get_logger("triage.alerter")

# A key's sum is written once per batch, however many counts it got: at high rates fewer, larger batches cost far less.
_BATCH = 20_000
_BATCH_WAIT_S = 0.5
_TICK_S = 1.0
_STORE_WAIT_S = 15.0
_DESCRIBE_S = 3.0
_NEVER_S = 3600.0
_INDEX = "elasticsearch"


class AlerterApp:
    """One alerter: a member of the Kafka consumer group that divides the partitions of `window-counts`.

    `expected` are the raw partitions that report watermarks. `primed` are first baselines, for rules that have none.
    `partitions`, `replicas` and `min_in_sync` (min.insync.replicas) are those of `window-counts`; Faust creates the
    changelog topic with the same values. (With Kafka's default of min.insync.replicas=1, a write that only the leader
    has would count as stored.) `on_progress` is called after each batch and each tick. `instance` detects a second
    process with the same name; None: no detection. `health` shows what the alerter waits for.
    """

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
        min_in_sync: str | None = None,
        actions: ActionBook | None = None,
        primed: Primed | None = None,
        on_progress: Callable[[], None] = lambda: None,
        instance: Instance | None = None,
        health: Health | None = None,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._clock = clock
        self._metrics = metrics
        self._expected = expected
        self._actions = actions or ActionBook()
        self._primed = primed or {}
        self._partitions = partitions
        self._receivers = [notifier.name for notifier in notifiers]
        self._acknowledging = frozenset(n.name for n in notifiers if getattr(n, "acknowledges", False))
        self._noting = frozenset(n.name for n in notifiers if getattr(n, "notes", False))
        self._on_progress = on_progress
        self._health = health or Health(clock)
        self._decoder: MessageDecoder[CountMessage] = MessageDecoder(CountMessage)
        self._engines: dict[int, PartitionEngine] = {}
        self._flushing: dict[int, asyncio.Lock] = {}
        archives: dict[str, Write] = {
            _INDEX: IndexWriter(elasticsearch, settings.elasticsearch),
            "kafka": self._publish,
        }
        self._outbox = Outbox(
            notifiers,
            settings.alerting,
            clock,
            metrics,
            look_up=IndexEvidence(
                elasticsearch,
                settings.elasticsearch,
                where=self._conditions_of,
                places=places_of(settings.alerting.places),
            ),
            archives=archives,
            flush=self._flush,
            report=self._on_archive,
        )
        read = IndexReader(elasticsearch, settings.elasticsearch)
        self._ended = EndedAlerts(self._actions.assessments, self._actions.comments, read, list(archives.values()))
        self._instance = instance
        self.faust = faust_app(settings, partitions, replicas, None if instance is None else instance.client_id)
        transport: Any = self.faust.transport
        transport.report_to(clock, metrics, self._health)
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
        self._table = cast(
            "PartitionTable",
            self.faust.Table(
                "state",
                partitions=partitions,
                key_type=str,
                value_type=None,
                on_recover=self._recovered,
                extra_topic_configs={"min.insync.replicas": min_in_sync} if min_in_sync else {},
            ),
        )
        self.faust.agent(counts, name="window-counts")(self._consume)
        self.faust.timer(_TICK_S, name="tick")(self._tick)
        self.faust.on_partitions_revoked.connect(self._on_revoked)
        self.faust.on_partitions_assigned.connect(self._on_assigned)

    async def start(self) -> None:
        """Join the consumer group and recover the state; returns once both are done."""
        self._outbox.start()
        self._outbox.spawn(self._ended.run())
        await self.faust.start()

    async def stop(self) -> None:
        """Leave the consumer group and cancel deliveries.

        Notifications that were not delivered are sent after the next start.
        """
        await self.faust.stop()
        await self._outbox.stop()

    # From outside

    def act(self, action: Action) -> None:
        """Apply a user's action to its alert, if the alert is in a partition of this alerter; otherwise do nothing.

        The action must already be in the `ActionBook` that the constructor got. Silences take effect through that book
        alone.
        """
        if isinstance(action, Silence):
            return
        for partition, engine in self._engines.items():
            if engine.assessed(action.dedup_key) if isinstance(action, Judge) else engine.act(action):
                self._outbox.spawn(self._flush(partition, engine))
                return
        # Hardly any ended alert is still in memory: one alerter stores all others, the owner of the first partition.
        if isinstance(action, Judge | Comment) and 0 in self._engines:
            self._ended.put([action.dedup_key])

    def reload(self, rules: AlertRules) -> None:
        """Replace the alert rules; the new ones evaluate each step of `alerting.window_s` seconds that closes later."""
        self._rules = rules
        for engine in self._engines.values():
            engine.reload(rules)

    # Messages

    async def _consume(self, stream: Any) -> None:
        async for events in stream.take_events(_BATCH, within=_BATCH_WAIT_S):
            try:
                # Offsets are committed only after this: by then the changelog has what the counts have changed.
                await self._apply(events)
            except BaseException as error:
                leave_unacknowledged(events)
                if isinstance(error, Exception):
                    log.exception("window_counts_not_applied", messages=len(events))
                    # The engines may have part of the batch: they must be rebuilt before it is read again.
                    await self.faust.crash(error)
                raise
            self._on_progress()

    async def _apply(self, events: Sequence[Any]) -> None:
        partitions = set()
        for event in events:
            engine = self._engine_of(event.message.partition)
            if engine is None:
                continue
            try:
                engine.apply(self._decoder.decode(event.value))
            except NotUnderstood as error:
                message = event.message
                log.warning(
                    "window_count_not_understood",
                    partition=message.partition,
                    offset=message.offset,
                    error=str(error),
                )
            partitions.add(event.message.partition)
        links = tracing.remotes(event.message.headers or () for event in events)
        with tracing.span("evaluate windows", kind="consumer", links=links, messages=len(events)):
            for partition in partitions:
                await self._advance(partition)

    async def _tick(self) -> None:
        if self.faust.rebalancing:
            return
        for partition in list(self._engines):
            await self._advance(partition)
        self._on_progress()

    async def _advance(self, partition: int) -> None:
        more = True
        while more and not self.faust.should_stop and (engine := self._engines.get(partition)) is not None:
            more = engine.advance()
            await self._flush(partition, engine)

    async def _flush(self, partition: int, engine: PartitionEngine) -> None:
        """Store an engine's changes, then send and archive them, so that no crash loses a page or its resolve.

        Pages wait at most 15 s for brokers that cannot store, as with a full disk. Then they are sent all the same: a
        crash before they are stored sends them twice, with the same dedup key.
        """
        # One at a time: a write that is retried must not overwrite a later one.
        async with self._flushing.setdefault(partition, asyncio.Lock()):
            changes = engine.take_changes()
            stored = asyncio.create_task(self._write(partition, engine, changes.writes), name="store")
            try:
                await asyncio.wait({stored}, timeout=_STORE_WAIT_S if changes.notifications else None)
                if not stored.done():
                    log.error("pages_sent_before_stored", partition=partition, pages=len(changes.notifications))
                if self._engines.get(partition) is engine:
                    self._outbox.take(partition, engine, changes)
                await stored
            except Exception as error:
                # The engine has handed over its changes: only one that is rebuilt from the table has them again.
                await self.faust.crash(error)
                raise
            finally:
                stored.cancel()

    async def _write(self, partition: int, engine: PartitionEngine, writes: dict[str, Any]) -> None:
        while writes and self._engines.get(partition) is engine and not self.faust.should_stop:
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

    async def _publish(self, alert: Alert, version: int) -> None:
        del version
        try:
            sent = await self._alerts.send(key=alert.dedup_key.encode(), value=msgspec.json.encode(alert))
            await sent
        except Exception as error:
            raise Unavailable("kafka", f"alert not published: {error!r}") from error

    def _on_archive(self, archive: str, error: IndexUnusable | None) -> None:
        """Show on `/ready` and in the metrics that alerts wait for their index to be mended; pages don't wait."""
        if archive != _INDEX:
            return
        index = self._settings.elasticsearch.alerts_index
        self._metrics.index_unusable.labels(index).set(error is not None)
        if error is None:
            self._health.recovered(f"index {index}")
        else:
            self._health.waiting_for(f"index {index}", str(error))

    def _conditions_of(self, rule: str) -> Conditions:
        found = self._rules.get(rule)
        return {} if found is None else found.where

    # Ownership

    def _engine_of(self, partition: int) -> PartitionEngine | None:
        """The engine of an assigned partition, rebuilt from the table if it is not there yet; None if not assigned."""
        engine = self._engines.get(partition)
        if engine is None and partition in self._assigned():
            engine = PartitionEngine(
                self._rules,
                self._settings.alerting,
                self._clock,
                self._metrics,
                receivers=self._receivers,
                expected=self._expected,
                acknowledging=self._acknowledging,
                noting=self._noting,
                silences=self._actions.silences,
                assessments=self._actions.assessments,
                partitions=self._partitions,
                channels={self._settings.kafka.topic(name): channel.value for channel, name in RAW_TOPICS.items()},
            )
            primed = primed_for_partition(self._primed, partition, self._partitions, self._settings.alerting.group_by)
            engine.restore(self._table.entries(partition), primed)
            self._engines[partition] = engine
            changes = engine.take_changes()
            if changes.notifications:
                log.info("pages_owed", partition=partition, pages=len(changes.notifications))
            self._outbox.take(partition, engine, changes, resent=True)
            self._outbox.keep_alive(partition, engine)
            for action in self._actions.on_alerts():
                engine.act(action)
        return engine

    def _assigned(self) -> set[int]:
        return {tp.partition for tp in self.faust.consumer.assignment() if tp.topic == self._source}

    async def _recovered(self) -> None:
        """Build the engines: the table is complete after a start or a rebalance."""
        partitions = self._assigned()
        self._table.drop_unassigned(partitions)
        try:
            for partition in sorted(partitions):
                self._engine_of(partition)
        except TriageError as error:
            # State that this version does not read.
            await self.faust.crash(error)
            raise
        if 0 in self._engines:
            self._ended.put({*self._actions.assessments.keys(), *self._actions.comments.keys()})
        log.info("state_recovered", partitions=sorted(partitions), entries=len(self._table.data))

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        """Throw the engines away: they are rebuilt from the table once the new assignment is recovered."""
        for engine in self._engines.values():
            engine.discard()
        self._engines.clear()
        self._outbox.drop()
        self._ended.drop()
        await self._end_if_replaced()

    async def _end_if_replaced(self) -> None:
        """End if another process has taken this one's place in the group, before this one takes it back."""
        if self._instance is None or self.faust.should_stop:
            return
        try:
            async with asyncio.timeout(_DESCRIBE_S):
                process = await asyncio.to_thread(self._instance.other)
        except (TriageError, TimeoutError) as error:
            log.info("instance_not_checked", error=str(error))
            return
        if process is not None:
            await self.faust.crash(self._instance.taken(process))
            # The consumer would join again once this returns.
            await asyncio.sleep(_NEVER_S)

    async def _on_assigned(self, _sender: Any, /, *arguments: Any, **_: Any) -> None:
        (assigned,) = arguments
        log.info("partitions_assigned", partitions=sorted(tp.partition for tp in assigned if tp.topic == self._source))
