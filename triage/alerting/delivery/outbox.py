"""Sends what engines decide: pages to receivers, and every alert to the archives, which are the index and the topic.

*Who calls it.* The app, on the event loop's thread, with the changes that it has just stored: a page is in the
changelog before it is sent, so that a crash repeats it instead of losing it.

*Which tasks run*, all on the event loop:

- a sender per page (dedup key) that has notifications to send. It looks up examples for the first one, at most 8 s,
  hands it to the dispatcher, and only then begins with the next: a resolve never overtakes its page, however slow the
  index is, and pages don't wait for each other;
- the dispatcher's lanes, one per receiver and page (see `dispatcher`), which keep the order from there on;
- a loop per archive, and one that looks up the examples of alerts that are not paged.

*What may block.* Nothing: look-ups and writes to Elasticsearch run in threads, and are bounded in time.

*Who owns what.* `_owners` has the engine that each alert came from last. A sender or a callback of another engine does
nothing any more: after a rebalance the partition's new engine sends its pending notifications itself. `drop` forgets
all engines, cancels senders and lanes, and empties the archives.

*What is persisted.* Nothing here. Callbacks (a receiver took a page, examples were found, an archive stored an alert)
change the engine, and `flush` stores that. Until then the notification is still pending in the changelog, and is sent
again after a crash, with the same dedup key and marked as resent.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from triage.alerting.delivery.archive import Archive, Report, Write
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
    """Sends the notifications of engines to receivers, and writes their alerts to the archives.

    `flush(partition, engine)` stores the changes that callbacks make to an engine; `report` is passed to each
    `Archive`. Notifications of one page are sent in order; pages don't wait for each other.
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
        report: Report = lambda *_: None,
    ) -> None:
        self._flush = flush
        self._owners: dict[str, tuple[int, PartitionEngine]] = {}
        # By dedup key, the archives that have not stored the alert's latest version.
        self._unarchived: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._queues: dict[str, deque[_Outgoing]] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._dispatcher = Dispatcher(
            notifiers,
            settings,
            clock,
            metrics,
            self._on_delivered,
            refused=self._on_refused,
            arrived=self._arrived,
            over_since=self._over_since,
        )
        self._evidence = EvidenceLookup(look_up, self._on_evidence, self.spawn)
        self._archives = [Archive(name, write, self._on_archived, report=report) for name, write in archives.items()]

    def start(self) -> None:
        """Start the tasks that write alerts to the archives (the index and the topic)."""
        for archive in self._archives:
            self.spawn(archive.run())

    async def stop(self) -> None:
        """Let attempts in flight continue for two seconds, then cancel all tasks.

        Unsent notifications are in the changelog.
        """
        self._cancel_senders()
        await self._dispatcher.close(grace_s=2.0)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def take(self, partition: int, engine: PartitionEngine, changes: Changes, *, resent: bool = False) -> None:
        """Send and archive an engine's changes. `resent`: receivers may have received them before a restart."""
        for episode in changes.episodes:
            self._owners[episode.dedup_key] = partition, engine
            self._archive(engine.alert(episode), episode.version)
        for notification in changes.notifications:
            self._owners[notification.alert.dedup_key] = partition, engine
            self._enqueue(_Outgoing(engine, notification, resent))
        for episode in changes.episodes:
            self._evidence.enqueue(engine, episode)
        for dedup_key in changes.forgotten:
            self._owners.pop(dedup_key, None)
            self._unarchived.pop(dedup_key, None)

    def keep_alive(self, partition: int, engine: PartitionEngine) -> None:
        """After a restart, resume the periodic sending of pages to receivers that need it, such as Alertmanager."""
        for page in engine.delivered_pages():
            self._owners[page.alert.dedup_key] = partition, engine
            notification = Notification("firing", page.alert, resent=True, also=tuple(page.also))
            self._dispatcher.keep_alive(notification, page.receivers)

    def drop(self) -> None:
        """Forget all engines and stop their deliveries, because other alerters may own their partitions now."""
        keys = set(self._owners)
        self._owners.clear()
        self._unarchived.clear()
        self._evidence.drop()
        self._cancel_senders()
        self._dispatcher.cancel(keys)
        for archive in self._archives:
            archive.drop(keys)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine as a task, until it ends or `stop` cancels it; an exception is logged."""
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
                # It is still pending in the changelog, so it is sent after a restart; the next ones must not wait.
                log.exception("notification_not_queued", dedup_key=dedup_key)
            queue.popleft()
        # Nothing can have been added: there was no await since the queue was seen empty.
        del self._queues[dedup_key], self._senders[dedup_key]

    async def _send(self, outgoing: _Outgoing) -> None:
        engine, pending = outgoing.engine, outgoing.notification
        alert = pending.alert
        if pending.event == "firing":
            # From the window that the page names. A repeat names a later one: hours later, the examples of the first
            # page would be out of date.
            evidence = await self._evidence.find_for(engine, alert)
            if evidence is not None:
                alert = msgspec.structs.replace(
                    alert,
                    top_intents=evidence.top_intents,
                    top_entities=evidence.top_entities,
                    top_words=evidence.top_words,
                    examples=evidence.examples,
                    examples_end=evidence.end if evidence.examples else None,
                )
        # After a rebalance the partition's new engine sends its pending notifications itself.
        if self._owner(alert.dedup_key) is engine:
            notification = Notification(pending.event, alert, outgoing.resent, pending.repeat, tuple(pending.also))
            self._dispatcher.submit(notification, list(pending.pending))

    def _on_evidence(self, engine: PartitionEngine, episode: Episode) -> None:
        if self._owner(episode.dedup_key) is engine:
            self._archive(engine.alert(episode), episode.version)
            self._flush_owner(episode.dedup_key)

    def _on_delivered(self, dedup_key: str, event: Event, receiver: str, error: str | None = None) -> None:
        if (engine := self._owner(dedup_key)) is not None:
            engine.delivered(dedup_key, event, receiver, error)
            self._flush_owner(dedup_key)

    def _on_refused(self, dedup_key: str, event: Event, receiver: str, error: str) -> None:
        if (engine := self._owner(dedup_key)) is not None:
            engine.refused(dedup_key, event, receiver, error)
            self._flush_owner(dedup_key)

    def _arrived(self, dedup_key: str, receiver: str) -> bool:
        return (engine := self._owner(dedup_key)) is None or engine.page_arrived(dedup_key, receiver)

    def _over_since(self, dedup_key: str) -> str | None:
        engine = self._owner(dedup_key)
        episode = None if engine is None else engine.episode(dedup_key)
        return None if engine is None or episode is None or episode.open else engine.alert(episode).ended_at

    def _flush_owner(self, dedup_key: str) -> None:
        self.spawn(self._flush(*self._owners[dedup_key]))

    def _archive(self, alert: Alert, version: int) -> None:
        self._unarchived[alert.dedup_key] = {archive.name for archive in self._archives}
        for archive in self._archives:
            archive.put(alert, version)

    def _on_archived(self, name: str, dedup_key: str, version: int) -> None:
        missing = self._unarchived.get(dedup_key)
        if missing is None:
            return
        missing.discard(name)
        if missing:
            return
        del self._unarchived[dedup_key]
        if (engine := self._owner(dedup_key)) is not None:
            engine.archived(dedup_key, version)

    def _owner(self, dedup_key: str) -> PartitionEngine | None:
        found = self._owners.get(dedup_key)
        return None if found is None else found[1]


def _report_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("task_failed", task=task.get_name(), exc_info=error)
