"""Delivers notifications to receivers: at least once, in order for each page, each receiver independently."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from triage.alerting.notifiers.base import Notification, Notifier, Throttled
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.errors import TriageError, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.runtime.backoff import backoff
from triage.runtime.rate_limiter import TokenBucket
from triage.schemas.alert import Event

log = get_logger("triage.delivery")

Done = Callable[[str, Event, str], None]
_MAX_CONCURRENT = 4


@dataclass(frozen=True, slots=True)
class _Queued:
    """`due_s` is the monotonic time of submission. A `keep_alive` only tells the receiver that a page still fires."""

    notification: Notification
    due_s: float
    keep_alive: bool = False


class Dispatcher:
    """A lane per receiver and page: a resolve follows its page, and no lane waits for another.

    `done(dedup_key, event, receiver)` is called when a receiver took a notification or will never take it. All waits
    are in real seconds. A notification is given up after `notify_give_up_s`. A receiver's `rate` is respected, and when
    it asks for a pause, all its lanes wait. Where a notifier has `resend_every_s`, a page that it took is sent again
    that often until its resolve, because the receiver (Alertmanager) would end it otherwise.
    """

    def __init__(
        self,
        notifiers: Sequence[Notifier],
        settings: AlertingSettings,
        clock: Clock,
        metrics: Metrics,
        done: Done,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._notifiers: Mapping[str, Notifier] = {notifier.name: notifier for notifier in notifiers}
        self._limits = {notifier.name: asyncio.Semaphore(_MAX_CONCURRENT) for notifier in notifiers}
        self._buckets = {n.name: TokenBucket(getattr(n, "rate", None), clock) for n in notifiers}
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._done = done
        self._sleep = sleep
        self._lanes: dict[tuple[str, str], deque[_Queued]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._keep_alive_tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        # Notifications in all lanes. Walking the lanes to count them after each change would be quadratic.
        self._pending = 0

    def submit(self, notification: Notification, receivers: Sequence[str]) -> None:
        """Queue a notification for each receiver. For one that is not configured any more, it is done at once."""
        for name in receivers:
            if name not in self._notifiers:
                log.warning("receiver_gone", receiver=name, dedup_key=notification.alert.dedup_key)
                self._done(notification.alert.dedup_key, notification.event, name)
                continue
            self._queue(name, _Queued(notification, self._clock.monotonic()))

    def keep_alive(self, notification: Notification, receivers: Sequence[str]) -> None:
        """Resume the repeats of a page that these receivers took before a restart."""
        for name in receivers:
            if self._resend_every_s(name) is not None:
                self._queue(name, _Queued(notification, self._clock.monotonic(), keep_alive=True))

    def cancel(self, dedup_keys: set[str]) -> None:
        """Stop the delivery of these pages, without calling `done`: another alerter may own them now."""
        for lane in [lane for lane in self._tasks if lane[1] in dedup_keys]:
            for queued in self._lanes.pop(lane, ()):
                self._count(queued, -1)
            self._tasks.pop(lane).cancel()
        for lane in [lane for lane in self._keep_alive_tasks if lane[1] in dedup_keys]:
            self._keep_alive_tasks.pop(lane).cancel()

    async def close(self, grace_s: float) -> None:
        """Give attempts in flight `grace_s`, then cancel all lanes, without calling `done` for what they hold."""
        for task in self._keep_alive_tasks.values():
            task.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        tasks += self._keep_alive_tasks.values()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for notifier in self._notifiers.values():
            await notifier.close()

    def _queue(self, name: str, queued: _Queued) -> None:
        lane = (name, queued.notification.alert.dedup_key)
        self._lanes.setdefault(lane, deque()).append(queued)
        self._count(queued, 1)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._run(lane), name=f"deliver-{name}")

    async def _run(self, lane: tuple[str, str]) -> None:
        queue, notifier = self._lanes[lane], self._notifiers[lane[0]]
        while queue:
            try:
                await self._handle(lane, notifier, queue[0])
            except Exception:
                # It is still pending in the changelog, so it is sent after a restart; the lane continues.
                log.exception("delivery_failed", receiver=lane[0], dedup_key=lane[1])
            self._count(queue.popleft(), -1)
        # Nothing can have been added: there was no await since the queue was seen empty.
        self._lanes.pop(lane, None)
        self._tasks.pop(lane, None)

    async def _handle(self, lane: tuple[str, str], notifier: Notifier, queued: _Queued) -> None:
        event = queued.notification.event
        if event != "acknowledged":
            self._cancel_keep_alive(lane)
        if queued.keep_alive:
            await self._send_keep_alive(notifier, queued)
            self._schedule_keep_alive(lane, queued.notification)
            return
        accepted = await self._deliver(notifier, queued)
        if event == "firing" and accepted:
            self._schedule_keep_alive(lane, queued.notification)
        self._done(lane[1], event, lane[0])

    async def _deliver(self, notifier: Notifier, queued: _Queued) -> bool:
        """True if the receiver took it; False if it was refused or given up."""
        settings, notification = self._settings, queued.notification
        waits = backoff(settings.notify_backoff_initial_s, settings.notify_backoff_max_s)
        fields = {"receiver": notifier.name, "notified": notification.event, "dedup_key": notification.alert.dedup_key}
        while True:
            wait_s, error = await self._attempt(notifier, notification, waits)
            if wait_s is None:
                self._metrics.notifications.labels(notifier.name, "sent" if error is None else "refused").inc()
                if error is not None:
                    log.error("notification_refused", error=error, **fields)
                    return False
                took_s = self._clock.monotonic() - queued.due_s
                self._metrics.notification_seconds.labels(notifier.name).observe(took_s)
                log.info("notification_sent", resent=notification.resent, after_s=round(took_s, 2), **fields)
                return True
            if self._clock.monotonic() - queued.due_s + wait_s > settings.notify_give_up_s:
                self._metrics.notifications.labels(notifier.name, "given_up").inc()
                log.error("notification_given_up", error=error, after_s=settings.notify_give_up_s, **fields)
                return False
            self._metrics.notifications.labels(notifier.name, "retried").inc()
            log.warning("notification_retried", error=error, retry_in_s=round(wait_s, 1), **fields)
            # The receiver may have taken it although it did not answer.
            notification = replace(notification, resent=True)
            await self._sleep(wait_s)

    async def _send_keep_alive(self, notifier: Notifier, queued: _Queued) -> None:
        """Make one attempt: the next keep-alive is the retry."""
        wait_s, error = await self._attempt(notifier, queued.notification, iter(lambda: 0.0, None))
        self._metrics.notifications.labels(notifier.name, "kept_alive" if error is None else "not_kept_alive").inc()
        if error is not None:
            dedup_key = queued.notification.alert.dedup_key
            log.warning(
                "keep_alive_failed", receiver=notifier.name, dedup_key=dedup_key, error=error, again=bool(wait_s)
            )

    async def _attempt(
        self, notifier: Notifier, notification: Notification, waits: Iterator[float]
    ) -> tuple[float | None, str | None]:
        """(None, None) if it was taken, (None, error) if it never will be, else (seconds to wait, error)."""
        bucket = self._buckets[notifier.name]
        if (wait_s := bucket.reserve()) > 0:
            await self._sleep(wait_s)
        try:
            async with self._limits[notifier.name]:
                async with asyncio.timeout(self._settings.notify_timeout_s):
                    await notifier.send(notification)
        except Throttled as error:
            bucket.pause(error.retry_after_s)
            return max(error.retry_after_s, next(waits)), str(error)
        except (Unavailable, TimeoutError) as error:
            return next(waits), str(error) or f"no answer within {self._settings.notify_timeout_s:g} s"
        except TriageError as error:
            return None, str(error)
        except Exception as error:
            # A bug in one notifier must not end the lane or the alerter.
            log.exception("notifier_failed", receiver=notifier.name)
            return None, f"{type(error).__name__}: {error}"
        return None, None

    def _resend_every_s(self, name: str) -> float | None:
        found: float | None = getattr(self._notifiers.get(name), "resend_every_s", None)
        return found

    def _schedule_keep_alive(self, lane: tuple[str, str], notification: Notification) -> None:
        every_s = self._resend_every_s(lane[0])
        if every_s is not None and lane not in self._keep_alive_tasks:
            wait = self._keep_alive_later(lane, notification, every_s)
            self._keep_alive_tasks[lane] = asyncio.create_task(wait, name="keep-alive")

    def _cancel_keep_alive(self, lane: tuple[str, str]) -> None:
        if (task := self._keep_alive_tasks.pop(lane, None)) is not None:
            task.cancel()

    async def _keep_alive_later(self, lane: tuple[str, str], notification: Notification, every_s: float) -> None:
        await self._sleep(every_s)
        # Through the lane, as everything else: never at the same time as the resolve, and never after it.
        self._keep_alive_tasks.pop(lane, None)
        self._queue(lane[0], _Queued(notification, self._clock.monotonic(), keep_alive=True))

    def _count(self, queued: _Queued, change: int) -> None:
        if not queued.keep_alive:
            self._pending += change
            self._metrics.pages_pending.set(self._pending)
