"""Receivers whose answers a test scripts, and a dispatcher with a clock of the test's own."""

import asyncio
from collections.abc import Iterable
from typing import Any

from triage.alerting.delivery.dispatcher import Dispatcher
from triage.alerting.notifiers import Notification
from triage.clock import ManualClock
from triage.config import Settings
from triage.errors import AccessDenied
from triage.metrics import Metrics
from triage.schemas.alert import Alert, Event


def alert(key: str = "triage-1", status: Any = "firing") -> Alert:
    return Alert(
        dedup_key=key, rule="r", key="", dimensions={}, status=status, severity="critical", title="t", summary="s",
        started_at="", updated_at="", window_s=300, negative=1, total=1, share=1.0, peak_negative=1,
    )  # fmt: skip


def page(key: str = "triage-1", event: Event = "firing") -> Notification:
    return Notification(event, alert(key, event))


def refusal() -> AccessDenied:
    return AccessDenied("webhook", "HTTP 403")


class Fake:
    """Takes notifications; `script` holds what the next attempts raise, None for success."""

    def __init__(self, name: str, script: Iterable[Exception | None] = ()) -> None:
        self.name = name
        self.script = list(script)
        self.attempts: list[Notification] = []
        self.taken: list[tuple[str, str, bool]] = []
        self.gate: asyncio.Event | None = None

    async def send(self, notification: Notification) -> None:
        self.attempts.append(notification)
        if self.gate is not None:
            await self.gate.wait()
        outcome = self.script.pop(0) if self.script else None
        if outcome is not None:
            raise outcome
        self.taken.append((notification.alert.dedup_key, notification.event, notification.resent))

    async def close(self) -> None:
        pass


class Rig:
    """A dispatcher, and what it told of each page: `done`, `refused`, and `slept`, the seconds that it waited."""

    def __init__(self, *notifiers: Any, **alerting: Any) -> None:
        self.clock = ManualClock()
        self.done: list[tuple[str, str, str]] = []
        self.refused: list[tuple[Any, ...]] = []
        self.lost: list[tuple[str, str]] = []
        self.slept: list[float] = []
        self.metrics = Metrics()
        settings = Settings.model_validate({"alerting": alerting}).alerting
        self.delivery = Dispatcher(
            notifiers, settings, self.clock, self.metrics, self._done, self._sleep,
            refused=lambda *what: self.refused.append(what), arrived=lambda *lane: lane not in self.lost,
        )  # fmt: skip

    def _done(self, key: str, event: Event, receiver: str, error: BaseException | str | None = None) -> None:
        self.done.append((key, event, receiver))
        if event == "firing" and error is not None:
            self.lost.append((key, receiver))

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)


async def settled() -> None:
    """Let everything run that can run."""
    for _ in range(2_000):
        await asyncio.sleep(0)


class Forgetful(Fake):
    """Ends alerts by itself, as Alertmanager does."""

    resend_every_s = 60.0


class Beats:
    """Sleeps that end when the test says so: `pass_` lets every waiting one end."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, asyncio.Event]] = []

    async def __call__(self, seconds: float) -> None:
        gate = asyncio.Event()
        self.waiting.append((seconds, gate))
        await gate.wait()

    async def pass_(self) -> None:
        waiting, self.waiting = self.waiting, []
        for _, gate in waiting:
            gate.set()
        for _ in range(50):
            await asyncio.sleep(0)


def alive_rig(notifier: Any) -> tuple[Rig, Beats]:
    rig, beats = Rig(notifier, Fake("webhook")), Beats()
    rig.delivery._sleep = beats
    return rig, beats
