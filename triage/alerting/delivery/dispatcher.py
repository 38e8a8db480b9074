"""Takes notifications to receivers: at least once, in order for each alert, each receiver on its own."""

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
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class _QueuedNotification:
    """`due_s` is the monotonic time of its submission. `keep_alive`: only tells a receiver that it still fires."""

    notification: Notification
    due_s: float
    keep_alive: bool = False


class Dispatcher:
    """One lane per receiver and alert, so that a resolve follows its page and no lane waits for another.

    `done(dedup_key, event, receiver)` is called when a receiver took a notification or will never take it. Waiting is
    in real seconds. A notification is given up after `notify_give_up_s`. A receiver's `rate` is kept to, and when it
    asks for a pause all its lanes wait. Where a notifier has `resend_every_s`, a page that it took is sent again that
    often until its resolve: as Alertmanager ends what it does not hear of.
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
        self._limits = {notifier.name: asyncio.Semaphore(_AT_ONCE) for notifier in notifiers}
        self._buckets = {n.name: TokenBucket(getattr(n, "rate", None), clock) for n in notifiers}
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._done = done
        self._sleep = sleep
        self._lanes: dict[tuple[str, str], deque[_QueuedNotification]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._alive: dict[tuple[str, str], asyncio.Task[None]] = {}
        # Counted as they come and go: walking all lanes for each would be quadratic.
        self._pending = 0

    def submit(self, notification: Notification, receivers: Sequence[str]) -> None:
        """Queue for each receiver; one that is configured no more is done with at once."""
        for name in receivers:
            if name not in self._notifiers:
                log.warning("receiver_gone", receiver=name, dedup_key=notification.alert.dedup_key)
                self._done(notification.alert.dedup_key, notification.event, name)
                continue
            self._queue(name, _QueuedNotification(notification, self._clock.monotonic()))

    def keep_alive(self, notification: Notification, receivers: Sequence[str]) -> None:
        """Go on telling of a page that these receivers took before a restart."""
        for name in receivers:
            if self._resend_every_s(name) is not None:
                self._queue(name, _QueuedNotification(notification, self._clock.monotonic(), keep_alive=True))

    def cancel(self, dedup_keys: set[str]) -> None:
        """Stop delivering: another alerter owns these alerts now."""
        for lane in [lane for lane in self._tasks if lane[1] in dedup_keys]:
            for job in self._lanes.pop(lane, ()):
                self._count(job, -1)
            self._tasks.pop(lane).cancel()
        for lane in [lane for lane in self._alive if lane[1] in dedup_keys]:
            self._alive.pop(lane).cancel()

    async def close(self, grace_s: float) -> None:
        """Give attempts under way `grace_s`, drop the rest: they are stored and will be sent again."""
        for task in self._alive.values():
            task.cancel()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        tasks += self._alive.values()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for notifier in self._notifiers.values():
            await notifier.close()

    def _queue(self, name: str, job: _QueuedNotification) -> None:
        lane = (name, job.notification.alert.dedup_key)
        self._lanes.setdefault(lane, deque()).append(job)
        self._count(job, 1)
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._run(lane), name=f"deliver-{name}")

    async def _run(self, lane: tuple[str, str]) -> None:
        queue, notifier = self._lanes[lane], self._notifiers[lane[0]]
        while queue:
            try:
                await self._handle(lane, notifier, queue[0])
            except Exception:
                # It stays stored as pending and is sent after a restart; the lane goes on.
                log.exception("delivery_failed", receiver=lane[0], dedup_key=lane[1])
            self._count(queue.popleft(), -1)
        # No await since the queue was seen empty: nothing can have been added.
        self._lanes.pop(lane, None)
        self._tasks.pop(lane, None)

    async def _handle(self, lane: tuple[str, str], notifier: Notifier, job: _QueuedNotification) -> None:
        if job.notification.event != "acknowledged":
            self._stop_alive(lane)
        taken = await (self._tell_again(notifier, job) if job.keep_alive else self._deliver(notifier, job))
        if job.notification.event == "firing" and (taken or job.keep_alive):
            self._start_alive(lane, job.notification)
        if not job.keep_alive:
            self._done(lane[1], job.notification.event, lane[0])

    async def _deliver(self, notifier: Notifier, job: _QueuedNotification) -> bool:
        """True when the receiver took it."""
        settings, notification = self._settings, job.notification
        waits = backoff(settings.notify_backoff_initial_s, settings.notify_backoff_max_s)
        told = {"receiver": notifier.name, "notified": notification.event, "dedup_key": notification.alert.dedup_key}
        while True:
            wait_s, why = await self._attempt(notifier, notification, waits)
            if wait_s is None:
                self._metrics.notifications.labels(notifier.name, "sent" if why is None else "refused").inc()
                if why is not None:
                    log.error("notification_refused", error=why, **told)
                    return False
                took_s = self._clock.monotonic() - job.due_s
                self._metrics.notification_seconds.labels(notifier.name).observe(took_s)
                log.info("notification_sent", resent=notification.resent, after_s=round(took_s, 2), **told)
                return True
            if self._clock.monotonic() - job.due_s + wait_s > settings.notify_give_up_s:
                self._metrics.notifications.labels(notifier.name, "given_up").inc()
                log.error("notification_given_up", error=why, after_s=settings.notify_give_up_s, **told)
                return False
            self._metrics.notifications.labels(notifier.name, "retried").inc()
            log.warning("notification_retried", error=why, retry_in_s=round(wait_s, 1), **told)
            # The receiver may have taken what it did not acknowledge.
            notification = replace(notification, resent=True)
            await self._sleep(wait_s)

    async def _tell_again(self, notifier: Notifier, job: _QueuedNotification) -> bool:
        """One attempt: the next one comes soon anyway."""
        wait_s, why = await self._attempt(notifier, job.notification, iter(lambda: 0.0, None))
        self._metrics.notifications.labels(notifier.name, "kept_alive" if why is None else "not_kept_alive").inc()
        if why is not None:
            dedup_key = job.notification.alert.dedup_key
            log.warning("keep_alive_failed", receiver=notifier.name, dedup_key=dedup_key, error=why, again=bool(wait_s))
        return why is None

    async def _attempt(
        self, notifier: Notifier, notification: Notification, waits: Iterator[float]
    ) -> tuple[float | None, str | None]:
        """(None, None) when it was taken, (None, why) when it never will be, else (seconds to wait, why)."""
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
            # A fault of one notifier must end neither the others nor the alerter.
            log.exception("notifier_failed", receiver=notifier.name)
            return None, f"{type(error).__name__}: {error}"
        return None, None

    def _resend_every_s(self, name: str) -> float | None:
        found: float | None = getattr(self._notifiers.get(name), "resend_every_s", None)
        return found

    def _start_alive(self, lane: tuple[str, str], notification: Notification) -> None:
        every_s = self._resend_every_s(lane[0])
        if every_s is not None and lane not in self._alive:
            self._alive[lane] = asyncio.create_task(self._wait_alive(lane, notification, every_s), name="keep-alive")

    def _stop_alive(self, lane: tuple[str, str]) -> None:
        if (task := self._alive.pop(lane, None)) is not None:
            task.cancel()

    async def _wait_alive(self, lane: tuple[str, str], notification: Notification, every_s: float) -> None:
        await self._sleep(every_s)
        # In the lane like all else: never beside, and never after, the resolve.
        self._alive.pop(lane, None)
        self._queue(lane[0], _QueuedNotification(notification, self._clock.monotonic(), keep_alive=True))

    def _count(self, job: _QueuedNotification, change: int) -> None:
        if not job.keep_alive:
            self._pending += change
            self._metrics.pages_pending.set(self._pending)
