"""Takes notifications to receivers: at least once, in order for each alert, each receiver on its own."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from triage.alerting.notifiers.base import Notification, Notifier, Throttled
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.errors import TriageError, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.retry import backoff
from triage.schemas.alert import AlertStatus

log = get_logger("triage.delivery")

Done = Callable[[str, AlertStatus, str], None]
_AT_ONCE = 4


class Delivery:
    """One lane per receiver and alert, so that a resolve follows its page and no lane waits for another.

    `done(dedup_key, event, receiver)` is called when a receiver took a notification or will never take it. Waiting is
    in real seconds. A notification is given up after `notify_give_up_s`.
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
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._done = done
        self._sleep = sleep
        self._lanes: dict[tuple[str, str], deque[Notification]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}

    def submit(self, notification: Notification, receivers: Sequence[str]) -> None:
        """Queue for each receiver; one that is configured no more is done with at once."""
        for name in receivers:
            if name not in self._notifiers:
                log.warning("receiver_gone", receiver=name, dedup_key=notification.alert.dedup_key)
                self._done(notification.alert.dedup_key, notification.event, name)
                continue
            lane = (name, notification.alert.dedup_key)
            self._lanes.setdefault(lane, deque()).append(notification)
            if lane not in self._tasks:
                self._tasks[lane] = asyncio.create_task(self._run(lane), name=f"deliver-{name}")
        self._report()

    def cancel(self, dedup_keys: set[str]) -> None:
        """Stop delivering: another alerter owns these alerts now."""
        for lane in [lane for lane in self._tasks if lane[1] in dedup_keys]:
            self._lanes.pop(lane, None)
            self._tasks.pop(lane).cancel()
        self._report()

    async def close(self, grace_s: float) -> None:
        """Give attempts under way `grace_s`, drop the rest: they are stored and will be sent again."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=grace_s)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for notifier in self._notifiers.values():
            await notifier.close()

    async def _run(self, lane: tuple[str, str]) -> None:
        queue = self._lanes[lane]
        while queue:
            await self._deliver(self._notifiers[lane[0]], queue[0])
            notification = queue.popleft()
            self._done(notification.alert.dedup_key, notification.event, lane[0])
            self._report()
        # No await since the queue was seen empty: nothing can have been added.
        self._lanes.pop(lane, None)
        self._tasks.pop(lane, None)
        self._report()

    async def _deliver(self, notifier: Notifier, notification: Notification) -> None:
        settings, started = self._settings, self._clock.monotonic()
        waits = backoff(settings.notify_backoff_initial_s, settings.notify_backoff_max_s)
        told = {"receiver": notifier.name, "notified": notification.event, "dedup_key": notification.alert.dedup_key}
        while True:
            wait_s, why = await self._attempt(notifier, notification, waits)
            if wait_s is None:
                outcome = "sent" if why is None else "refused"
                self._metrics.notifications.labels(notifier.name, outcome).inc()
                if why is None:
                    log.info("notification_sent", resent=notification.resent, **told)
                else:
                    log.error("notification_refused", error=why, **told)
                return
            if self._clock.monotonic() - started + wait_s > settings.notify_give_up_s:
                self._metrics.notifications.labels(notifier.name, "given_up").inc()
                log.error("notification_given_up", error=why, after_s=settings.notify_give_up_s, **told)
                return
            self._metrics.notifications.labels(notifier.name, "retried").inc()
            log.warning("notification_retried", error=why, retry_in_s=round(wait_s, 1), **told)
            # The receiver may have taken what it did not acknowledge.
            notification = Notification(notification.event, notification.alert, resent=True)
            await self._sleep(wait_s)

    async def _attempt(
        self, notifier: Notifier, notification: Notification, waits: Iterator[float]
    ) -> tuple[float | None, str | None]:
        """(None, None) when it was taken, (None, why) when it never will be, else (seconds to wait, why)."""
        try:
            async with self._limits[notifier.name]:
                async with asyncio.timeout(self._settings.notify_timeout_s):
                    await notifier.send(notification)
        except Throttled as error:
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

    def _report(self) -> None:
        self._metrics.pages_pending.set(sum(map(len, self._lanes.values())))
