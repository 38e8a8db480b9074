"""What leaves the alerter: pages to receivers, and every alert to the index and the topic."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from triage.alerting.delivery.archive import Archive, Write
from triage.alerting.delivery.dispatcher import Dispatcher
from triage.alerting.engine.changelog import Changes
from triage.alerting.engine.engine import PartitionEngine
from triage.alerting.engine.state import PendingNotification
from triage.alerting.evidence.lookup import EvidenceLookup, LookUp
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.notifiers import Notification, Notifier
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.schemas.alert import Alert, Event

log = get_logger("triage.alerter")


@dataclass(frozen=True, slots=True)
class _Outgoing:
    """A notification on its way from an engine to the dispatcher."""

    engine: PartitionEngine
    notification: PendingNotification
    resent: bool


class Outbox:
    """Sends and archives what engines decide. `flush(partition, engine)` stores what changes by it.

    Notifications of one page (one dedup key) leave in order: each waits for the one before it, also while that looks
    its examples up. Pages don't wait for one another. An alert belongs to the engine that came with it last; of one
    that was dropped nothing is sent any more.
    """

    def __init__(
        self,
        notifiers: list[Notifier],
        settings: AlertingSettings,
        clock: Clock,
        metrics: Metrics,
        *,
        look_up: LookUp,
        archives: Mapping[str, Write],
        flush: Callable[[int, PartitionEngine], Coroutine[Any, Any, None]],
    ) -> None:
        self._flush = flush
        self._owners: dict[str, tuple[int, PartitionEngine]] = {}
        self._lacking: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._queues: dict[str, deque[_Outgoing]] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._delivery = Dispatcher(notifiers, settings, clock, metrics, self._delivered)
        self._findings = EvidenceLookup(look_up, self._found, self.spawn)
        self._archives = [Archive(name, write, self._archived) for name, write in archives.items()]

    def start(self) -> None:
        """Begin to archive."""
        for archive in self._archives:
            self.spawn(archive.run())

    async def stop(self) -> None:
        """Give what is under way a moment; what is owed is stored."""
        self._cancel_senders()
        await self._delivery.close(grace_s=2.0)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def take(self, partition: int, engine: PartitionEngine, changes: Changes, *, resent: bool = False) -> None:
        """Send and archive what an engine has changed; `resent`: it was under way before a restart."""
        for episode in changes.episodes:
            self._owners[episode.dedup_key] = partition, engine
            self._archive(engine.alert(episode), episode.version)
        for owed in changes.owed:
            self._owners[owed.alert.dedup_key] = partition, engine
            self._enqueue(_Outgoing(engine, owed, resent))
        for episode in changes.episodes:
            self._findings.later(engine, episode)
        for dedup_key in changes.forgotten:
            self._owners.pop(dedup_key, None)
            self._lacking.pop(dedup_key, None)

    def keep_alive(self, partition: int, engine: PartitionEngine) -> None:
        """After a restart: go on telling of what receivers know as firing."""
        for told in engine.told():
            self._owners[told.alert.dedup_key] = partition, engine
            again = Notification("firing", told.alert, resent=True, also=tuple(told.also))
            self._delivery.keep_alive(again, told.receivers)

    def drop(self) -> None:
        """Forget all engines: others may own their alerts now."""
        keys = set(self._owners)
        self._owners.clear()
        self._lacking.clear()
        self._findings.drop()
        self._cancel_senders()
        self._delivery.cancel(keys)
        for archive in self._archives:
            archive.drop(keys)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run until it is done, or `stop`; a failure is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_report_failure)
        return task

    def _enqueue(self, outgoing: _Outgoing) -> None:
        dedup_key = outgoing.notification.alert.dedup_key
        self._queues.setdefault(dedup_key, deque()).append(outgoing)
        if dedup_key not in self._senders:
            self._senders[dedup_key] = self.spawn(self._send_in_order(dedup_key))

    def _cancel_senders(self) -> None:
        for task in self._senders.values():
            task.cancel()
        self._senders.clear()
        self._queues.clear()

    async def _send_in_order(self, dedup_key: str) -> None:
        queue = self._queues[dedup_key]
        while queue:
            try:
                await self._send(queue[0])
            except Exception:
                # It stays stored as pending and is sent after a restart; those behind it must not wait for that.
                log.exception("notification_not_queued", dedup_key=dedup_key)
            queue.popleft()
        # No await since the queue was seen empty: nothing can have been added.
        del self._queues[dedup_key], self._senders[dedup_key]

    async def _send(self, outgoing: _Outgoing) -> None:
        engine, pending = outgoing.engine, outgoing.notification
        alert = pending.alert
        if pending.event == "firing":
            # Of a page that is repeated hours later, the examples of the beginning would be stale.
            await self._findings.find(engine, alert.dedup_key, again=pending.repeat)
            if (evidence := engine.evidence(alert.dedup_key)) is not None:
                alert = msgspec.structs.replace(
                    alert,
                    top_intents=evidence.top_intents,
                    top_entities=evidence.top_entities,
                    top_words=evidence.top_words,
                    examples=evidence.examples,
                )
        # After a rebalance the owner's new engine sends what is owed.
        if self._owner(alert.dedup_key) is engine:
            notification = Notification(pending.event, alert, outgoing.resent, pending.repeat, tuple(pending.also))
            self._delivery.submit(notification, list(pending.pending))

    def _found(self, engine: PartitionEngine, episode: Episode) -> None:
        if self._owner(episode.dedup_key) is engine:
            self._archive(engine.alert(episode), episode.version)
            self._store(episode.dedup_key)

    def _delivered(self, dedup_key: str, event: Event, receiver: str) -> None:
        if (engine := self._owner(dedup_key)) is not None:
            engine.delivered(dedup_key, event, receiver)
            self._store(dedup_key)

    def _store(self, dedup_key: str) -> None:
        self.spawn(self._flush(*self._owners[dedup_key]))

    def _archive(self, alert: Alert, version: int) -> None:
        self._lacking[alert.dedup_key] = {archive.name for archive in self._archives}
        for archive in self._archives:
            archive.put(alert, version)

    def _archived(self, name: str, dedup_key: str, version: int) -> None:
        lacking = self._lacking.get(dedup_key)
        if lacking is None:
            return
        lacking.discard(name)
        if lacking:
            return
        del self._lacking[dedup_key]
        if (engine := self._owner(dedup_key)) is not None:
            engine.archived(dedup_key, version)

    def _owner(self, dedup_key: str) -> PartitionEngine | None:
        found = self._owners.get(dedup_key)
        return None if found is None else found[1]


def _report_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task_failed", task=task.get_name(), exc_info=error)
