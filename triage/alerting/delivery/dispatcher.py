"""Delivers notifications to receivers: at least once, in order for each page, each receiver independently."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from triage.alerting.notifiers.base import Notification, Notifier, Refused, Throttled
from triage.clock import Clock
from triage.config import AlertingSettings
from triage.errors import AccessDenied, TriageError, Unavailable
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.retries.backoff import backoff
from triage.runtime.rate_limiter import TokenBucket
from triage.schemas.alert import Event

log = get_logger("triage.delivery")

_MAX_CONCURRENT = 4
# A receiver that refuses is asked again at `notify_backoff_max_s`, later this many times as seldom.
_SLOWEST = 10


class Done(Protocol):
    """Callback when a notification is finished for a receiver: accepted, or given up because of `error`."""

    def __call__(self, dedup_key: str, event: Event, receiver: str, error: str | None = None, /) -> None: ...


class OnRefused(Protocol):
    """Callback when a receiver refuses a notification; it is sent to it again while the alert fires."""

    def __call__(self, dedup_key: str, event: Event, receiver: str, error: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class _Queued:
    """A notification that waits in a queue for its delivery. `due_s` is the monotonic time of submission.

    A `keep_alive` only tells the receiver that a page still fires.
    """

    notification: Notification
    due_s: float
    keep_alive: bool = False


@dataclass(frozen=True, slots=True)
class _Answer:
    """Result of one attempt to deliver: without an error, the receiver took the notification.

    With `wait_s`, another attempt after so many seconds can succeed by itself; if `refused`, only once someone has
    mended a setting.
    """

    error: str | None = None
    wait_s: float | None = None
    refused: bool = False


class Dispatcher:
    """Delivers notifications to receivers. Each page has a queue (a lane) per receiver, and lanes are independent.

    Within a lane the order is kept, so a resolve follows its page. `done` is called when a receiver has accepted a
    notification or it is given up, after `notify_give_up_s`. Waits are in real seconds. A receiver's `rate` limits all
    its lanes, and a pause that it asks for applies to all of them. If a notifier has `resend_every_s`, an accepted page
    is sent again at that interval until its resolve, because the receiver (Alertmanager) would end the alert otherwise.

    If a receiver refuses a page (a wrong key or address), it is retried slowly until the alert ends, and `refused` is
    called for each attempt; a resolve is retried for `notify_give_up_s`. Messages that follow a page are sent only to
    receivers for which `arrived(dedup_key, receiver)` is true. `over_since(dedup_key)` returns when an alert ended,
    None while it fires: a page that arrives late states it.
    """

    def __init__(
        self,
        notifiers: Sequence[Notifier],
        settings: AlertingSettings,
        clock: Clock,
        metrics: Metrics,
        done: Done,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        refused: OnRefused = lambda *_: None,
        arrived: Callable[[str, str], bool] = lambda *_: True,
        over_since: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._notifiers: Mapping[str, Notifier] = {notifier.name: notifier for notifier in notifiers}
        self._limits = {notifier.name: asyncio.Semaphore(_MAX_CONCURRENT) for notifier in notifiers}
        self._buckets = {n.name: TokenBucket(getattr(n, "rate", None), clock) for n in notifiers}
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._done = done
        self._sleep = sleep
        self._on_refused = refused
        self._arrived = arrived
        self._over_since = over_since
        # Lanes whose receiver refuses; a tick ends their waits, so that the resolve of an alert does not wait for them.
        self._refusing: dict[tuple[str, str], asyncio.Event] = {}
        self._lanes: dict[tuple[str, str], deque[_Queued]] = {}
        self._tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._keep_alive_tasks: dict[tuple[str, str], asyncio.Task[None]] = {}
        # Notifications in all lanes. Walking the lanes to count them after each change would be quadratic.
        self._pending = 0

    def submit(self, notification: Notification, receivers: Sequence[str]) -> None:
        """Queue a notification for each receiver.

        For a receiver that is no longer configured, `done` is called at once.
        """
        for name in receivers:
            if name not in self._notifiers:
                log.warning("receiver_gone", receiver=name, dedup_key=notification.alert.dedup_key)
                self._done(notification.alert.dedup_key, notification.event, name, "not configured any more")
                continue
            self._queue(name, _Queued(notification, self._clock.monotonic()))

    def keep_alive(self, notification: Notification, receivers: Sequence[str]) -> None:
        """Resume sending a page periodically to receivers that accepted it before a restart.

        Only receivers whose notifier has `resend_every_s` get it.
        """
        for name in receivers:
            if self._resend_every_s(name) is not None:
                self._queue(name, _Queued(notification, self._clock.monotonic(), keep_alive=True))

    def cancel(self, dedup_keys: set[str]) -> None:
        """Stop the delivery of the pages with these keys without calling `done`: another alerter may own them now."""
        for lane in [lane for lane in self._tasks if lane[1] in dedup_keys]:
            for queued in self._lanes.pop(lane, ()):
                self._count(queued, -1)
            self._tasks.pop(lane).cancel()
            self._note_refusing(lane, refusing=False)
        for lane in [lane for lane in self._keep_alive_tasks if lane[1] in dedup_keys]:
            self._keep_alive_tasks.pop(lane).cancel()

    async def close(self, grace_s: float) -> None:
        """Let attempts in flight continue for `grace_s` seconds, then cancel all queues without calling `done`."""
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
        if (waiting := self._refusing.get(lane)) is not None:
            waiting.set()
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
            self._note_refusing(lane, refusing=False)
            self._count(queue.popleft(), -1)
        # Nothing can have been added: there was no await since the queue was seen empty.
        self._lanes.pop(lane, None)
        self._tasks.pop(lane, None)

    async def _handle(self, lane: tuple[str, str], notifier: Notifier, queued: _Queued) -> None:
        event = queued.notification.event
        if event in {"firing", "resolved"}:
            self._cancel_keep_alive(lane)
        if queued.keep_alive:
            await self._send_keep_alive(notifier, queued)
            self._schedule_keep_alive(lane, queued.notification)
            return
        if event != "firing" and not self._arrived(lane[1], lane[0]):
            self._metrics.notifications.labels(lane[0], "not_needed").inc()
            log.info("notification_not_needed", receiver=lane[0], notified=event, dedup_key=lane[1])
            self._done(lane[1], event, lane[0], "its page has not arrived")
            return
        error = await self._deliver(lane, notifier, queued)
        if event == "firing" and error is None:
            self._schedule_keep_alive(lane, queued.notification)
        self._done(lane[1], event, lane[0], error)

    async def _deliver(self, lane: tuple[str, str], notifier: Notifier, queued: _Queued) -> str | None:
        """Send a notification until the receiver took it (None), refused it for good, or it is given up (the error)."""
        settings, notification = self._settings, queued.notification
        longest_s = settings.notify_backoff_max_s
        waits, slow_waits = (
            backoff(settings.notify_backoff_initial_s, longest_s),
            backoff(longest_s, _SLOWEST * longest_s),
        )
        fields = {"receiver": notifier.name, "notified": notification.event, "dedup_key": notification.alert.dedup_key}
        while True:
            answer = await self._attempt(notifier, notification, slow_waits if lane in self._refusing else waits)
            error, wait_s = answer.error, answer.wait_s
            if answer.refused:
                wait_s = next(slow_waits)
            if error is None or wait_s is None:
                self._metrics.notifications.labels(notifier.name, "sent" if error is None else "refused").inc()
                if error is not None:
                    log.error("notification_refused", error=error, **fields)
                    return error
                took_s = self._clock.monotonic() - queued.due_s
                self._metrics.notification_seconds.labels(notifier.name).observe(took_s)
                log.info("notification_sent", resent=notification.resent, after_s=round(took_s, 2), **fields)
                return None
            slowly = notification.event == "firing" and (answer.refused or lane in self._refusing)
            if not slowly and self._clock.monotonic() - queued.due_s + wait_s > settings.notify_give_up_s:
                self._metrics.notifications.labels(notifier.name, "given_up").inc()
                log.error("notification_given_up", error=error, after_s=settings.notify_give_up_s, **fields)
                return error
            outcome = "refused" if answer.refused else "retried"
            self._metrics.notifications.labels(notifier.name, outcome).inc()
            log_event = "notification_refused" if answer.refused else "notification_retried"
            log.warning(log_event, error=error, retry_in_s=round(wait_s, 1), **fields)
            if not answer.refused:
                # The receiver may have taken it although it did not answer.
                notification = replace(notification, resent=True)
            if not slowly:
                await self._sleep(wait_s)
                continue
            self._note_refusing(lane, refusing=True)
            self._on_refused(lane[1], "firing", lane[0], error)
            if await self._over(lane, wait_s):
                log.warning("notification_given_up", error=error, because="the alert is over", **fields)
                return error

    async def _send_keep_alive(self, notifier: Notifier, queued: _Queued) -> None:
        """Tell a receiver that a page still fires, with one attempt: the next keep-alive is the retry."""
        answer = await self._attempt(notifier, queued.notification, iter(lambda: 0.0, None))
        error = answer.error
        self._metrics.notifications.labels(notifier.name, "kept_alive" if error is None else "not_kept_alive").inc()
        if error is not None:
            dedup_key = queued.notification.alert.dedup_key
            again = answer.wait_s is not None or answer.refused
            log.warning("keep_alive_failed", receiver=notifier.name, dedup_key=dedup_key, error=error, again=again)

    async def _over(self, lane: tuple[str, str], wait_s: float) -> bool:
        """Wait until the next attempt at a page that was refused. True if none is needed: its resolve is queued."""
        waiting = self._refusing[lane]
        waiting.clear()
        if self._resolve_waits(lane):
            return True
        slept, woken = asyncio.ensure_future(self._sleep(wait_s)), asyncio.ensure_future(waiting.wait())
        try:
            # Repeats and acknowledgements wake it, too: then it is asked again at once, which does no harm.
            await asyncio.wait({slept, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            slept.cancel()
            woken.cancel()
        return self._resolve_waits(lane)

    def _resolve_waits(self, lane: tuple[str, str]) -> bool:
        return any(queued.notification.event == "resolved" for queued in list(self._lanes.get(lane, ()))[1:])

    def _note_refusing(self, lane: tuple[str, str], *, refusing: bool) -> None:
        if refusing == (lane in self._refusing):
            return
        if refusing:
            self._refusing[lane] = asyncio.Event()
        else:
            del self._refusing[lane]
        count = sum(name == lane[0] for name, _ in self._refusing)
        self._metrics.pages_refused.labels(lane[0]).set(count)

    async def _attempt(self, notifier: Notifier, notification: Notification, waits: Iterator[float]) -> _Answer:
        bucket = self._buckets[notifier.name]
        if (wait_s := bucket.reserve()) > 0:
            await self._sleep(wait_s)
        try:
            async with self._limits[notifier.name]:
                async with asyncio.timeout(self._settings.notify_timeout_s):
                    await notifier.send(self._timed(notification))
        except Throttled as error:
            bucket.pause(error.retry_after_s)
            return _Answer(str(error), max(error.retry_after_s, next(waits)))
        except (Unavailable, TimeoutError) as error:
            return _Answer(str(error) or f"no answer within {self._settings.notify_timeout_s:g} s", next(waits))
        except (AccessDenied, Refused) as error:
            return _Answer(str(error), refused=True)
        except TriageError as error:
            return _Answer(str(error))
        except Exception as error:
            # A bug in one notifier must not end the lane or the alerter.
            log.exception("notifier_failed", receiver=notifier.name)
            return _Answer(f"{type(error).__name__}: {error}")
        return _Answer()

    def _timed(self, notification: Notification) -> Notification:
        """The notification of an attempt, with its time, and since when the alert is over if it is meanwhile."""
        over = self._over_since(notification.alert.dedup_key) if notification.event == "firing" else None
        return replace(notification, told_ms=self._clock.now_ms(), over_since=over)

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
