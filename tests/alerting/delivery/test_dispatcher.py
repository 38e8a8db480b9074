"""Delivery: each receiver on its own, in order for each alert, again until it is taken or refused."""

import asyncio
import random

import pytest
from engine_rig import calls

from triage.alerting.delivery.dispatcher import Dispatcher
from triage.alerting.notifiers import Notification, Refused, Throttled
from triage.clock import ManualClock
from triage.config import Settings
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.metrics import Metrics
from triage.runtime.rate_limiter import Rate
from triage.schemas.alert import Alert


def alert(key="triage-1", status="firing"):
    return Alert(
        dedup_key=key, rule="r", key="", dimensions={}, status=status, severity="critical", title="t", summary="s",
        started_at="", updated_at="", window_s=300, negative=1, total=1, share=1.0, peak_negative=1,
    )  # fmt: skip


def page(key="triage-1", event="firing"):
    return Notification(event, alert(key, event))


class Fake:
    """Takes notifications; `script` holds what the next attempts raise, None for success."""

    def __init__(self, name, script=()):
        self.name = name
        self.script = list(script)
        self.attempts = []
        self.taken = []
        self.gate = None

    async def send(self, notification):
        self.attempts.append(notification)
        if self.gate is not None:
            await self.gate.wait()
        outcome = self.script.pop(0) if self.script else None
        if outcome is not None:
            raise outcome
        self.taken.append((notification.alert.dedup_key, notification.event, notification.resent))

    async def close(self):
        pass


class Rig:
    def __init__(self, *notifiers, **alerting):
        self.clock = ManualClock()
        self.done = []
        self.refused = []
        self.lost = []
        self.slept = []
        self.metrics = Metrics()
        settings = Settings(alerting=alerting).alerting
        self.delivery = Dispatcher(
            notifiers, settings, self.clock, self.metrics, self._done, self._sleep,
            refused=lambda *what: self.refused.append(what), arrived=lambda *lane: lane not in self.lost,
        )  # fmt: skip

    def _done(self, key, event, receiver, error=None):
        self.done.append((key, event, receiver))
        if event == "firing" and error is not None:
            self.lost.append((key, receiver))

    async def _sleep(self, seconds):
        self.slept.append(seconds)
        self.clock.advance(seconds)
        await asyncio.sleep(0)


async def settled(rig):
    for _ in range(2_000):
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_a_page_reaches_every_receiver_once():
    first, second = Fake("log"), Fake("webhook")
    rig = Rig(first, second)
    rig.delivery.submit(page(), ["log", "webhook"])
    await settled(rig)
    assert first.taken == second.taken == [("triage-1", "firing", False)]
    assert sorted(rig.done) == [("triage-1", "firing", "log"), ("triage-1", "firing", "webhook")]


@pytest.mark.asyncio
async def test_trouble_is_tried_again_with_growing_waits_and_marked_resent():
    hook = Fake("webhook", [Unavailable("webhook", "HTTP 503")] * 6)
    rig = Rig(hook, notify_backoff_initial_s=1, notify_backoff_max_s=8)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert hook.taken == [("triage-1", "firing", True)]
    bounds = [1, 2, 4, 8, 8, 8]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(rig.slept, bounds, strict=True))


@pytest.mark.asyncio
async def test_retry_after_is_honoured():
    hook = Fake("webhook", [Throttled("webhook", "HTTP 429", 37.0)])
    rig = Rig(hook)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert rig.slept[0] >= 37.0
    assert len(hook.taken) == 1


@pytest.mark.asyncio
async def test_a_page_that_cannot_be_taken_is_final_and_its_resolve_is_not_sent():
    hook = Fake("webhook", [DependencyError("webhook", "HTTP 400")])
    rig = Rig(hook)
    rig.delivery.submit(page(), ["webhook"])
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    rig.delivery.submit(page("triage-2"), ["webhook"])
    await settled(rig)
    assert hook.taken == [("triage-2", "firing", False)]
    assert rig.done[:2] == [("triage-1", "firing", "webhook"), ("triage-1", "resolved", "webhook")]
    assert rig.metrics.notifications.labels("webhook", "not_needed")._value.get() == 1


def refusal():
    return AccessDenied("webhook", "HTTP 403")


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [AccessDenied, Refused])
async def test_a_receiver_that_refuses_is_asked_slowly_until_it_takes_the_page(kind):
    hook = Fake("webhook", [kind("webhook", "HTTP 403")] * 9)
    rig = Rig(hook, notify_backoff_max_s=60, notify_give_up_s=120)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert hook.taken == [("triage-1", "firing", False)], "it has not taken it before: it is not resent"
    bounds = [60, 120, 240, 480, 600, 600, 600, 600, 600]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(rig.slept, bounds, strict=True))
    assert rig.refused == [("triage-1", "firing", "webhook", "webhook: HTTP 403")] * 9
    assert rig.done == [("triage-1", "firing", "webhook")]
    assert rig.metrics.notifications.labels("webhook", "refused")._value.get() == 9
    assert rig.metrics.pages_refused.labels("webhook")._value.get() == 0


class Asleep(Rig):
    """Waits end only by `wake`."""

    def __init__(self, *notifiers, **alerting):
        self.nap = asyncio.Event()
        super().__init__(*notifiers, **alerting)

    async def _sleep(self, seconds):
        self.slept.append(seconds)
        await self.nap.wait()


@pytest.mark.asyncio
async def test_a_page_that_is_refused_until_its_alert_is_over_is_neither_sent_nor_resolved():
    hook = Fake("webhook", [refusal()])
    rig = Asleep(hook)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert rig.metrics.pages_refused.labels("webhook")._value.get() == 1
    assert rig.done == []
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled(rig)
    assert hook.taken == []
    assert rig.done == [("triage-1", "firing", "webhook"), ("triage-1", "resolved", "webhook")]
    assert rig.metrics.pages_refused.labels("webhook")._value.get() == 0
    assert rig.metrics.pages_pending._value.get() == 0


@pytest.mark.asyncio
async def test_a_page_whose_resolve_waits_already_is_not_tried_again_after_a_refusal():
    hook = Fake("webhook", [refusal()])
    rig = Asleep(hook)
    rig.delivery.submit(page(), ["webhook"])
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled(rig)
    assert hook.taken == []
    assert rig.done == [("triage-1", "firing", "webhook"), ("triage-1", "resolved", "webhook")]


@pytest.mark.asyncio
async def test_one_refused_page_delays_no_other_and_is_forgotten_with_its_partition():
    hook = Fake("webhook", [refusal()])
    rig = Asleep(hook)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    rig.delivery.submit(page("triage-2"), ["webhook"])
    await settled(rig)
    assert hook.taken == [("triage-2", "firing", False)]
    rig.delivery.cancel({"triage-1"})
    assert rig.metrics.pages_refused.labels("webhook")._value.get() == 0
    await rig.delivery.close(grace_s=0.01)


@pytest.mark.asyncio
async def test_a_receiver_that_refused_and_is_down_then_is_not_given_up():
    hook = Fake("webhook", [refusal()] * 3 + [Unavailable("webhook", "HTTP 503")] * 3)
    rig = Rig(hook, notify_backoff_max_s=60, notify_give_up_s=60)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert hook.taken == [("triage-1", "firing", True)]


@pytest.mark.asyncio
async def test_a_resolve_that_is_refused_is_sent_again_until_it_is_given_up():
    hook = Fake("webhook", [None, refusal(), refusal(), None])
    rig = Rig(hook, notify_give_up_s=3600)
    rig.delivery.submit(page(), ["webhook"])
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled(rig)
    assert [event for _, event, _ in hook.taken] == ["firing", "resolved"]
    hook = Fake("webhook", [None] + [refusal()] * 99)
    rig = Rig(hook, notify_give_up_s=3600)
    rig.delivery.submit(page(), ["webhook"])
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled(rig)
    assert len(rig.done) == 2
    assert rig.metrics.notifications.labels("webhook", "given_up")._value.get() == 1


@pytest.mark.asyncio
async def test_a_fault_in_a_notifier_ends_nothing():
    broken, fine = Fake("webhook", [ZeroDivisionError()]), Fake("log")
    rig = Rig(broken, fine)
    rig.delivery.submit(page(), ["webhook", "log"])
    await settled(rig)
    assert len(rig.done) == 2
    assert fine.taken == [("triage-1", "firing", False)]


@pytest.mark.asyncio
async def test_an_error_of_the_callback_does_not_end_the_lane(capsys):
    hook = Fake("webhook")
    rig = Rig(hook)
    rig.delivery._done = lambda *what: rig.done.append(what[:3]) if rig.done else rig.done.append(1 / 0)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    rig.done.append("mended")
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled(rig)
    assert [event for _, event, _ in hook.taken] == ["firing", "resolved"]
    assert rig.done[-1] == ("triage-1", "resolved", "webhook")
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.asyncio
async def test_it_gives_up_after_a_while_and_says_so():
    hook = Fake("webhook", [Unavailable("webhook", "down")] * 10_000)
    rig = Rig(hook, notify_give_up_s=600, notify_backoff_max_s=60)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert rig.done == [("triage-1", "firing", "webhook")]
    assert 500 < sum(rig.slept) <= 600
    assert rig.metrics.notifications.labels("webhook", "given_up")._value.get() == 1


@pytest.mark.asyncio
async def test_a_receiver_that_hangs_delays_no_other_and_no_other_alert_for_ever():
    stuck, fine = Fake("slack"), Fake("webhook")
    stuck.gate = asyncio.Event()
    rig = Rig(stuck, fine)
    for number in range(10):
        rig.delivery.submit(page(f"triage-{number}"), ["slack", "webhook"])
    await settled(rig)
    assert len(fine.taken) == 10
    assert len(stuck.attempts) == 4, "a bounded number of attempts at once"
    stuck.gate.set()
    await settled(rig)
    assert len(stuck.taken) == 10


def test_twice_as_many_pages_cost_twice_as_much():
    async def deliver(pages):
        rig = Rig(Fake("webhook"))
        for number in range(pages):
            rig.delivery.submit(page(f"triage-{number}"), ["webhook"])
        assert rig.metrics.pages_pending._value.get() == pages
        await asyncio.gather(*rig.delivery._tasks.values())
        assert len(rig.done) == pages
        assert rig.metrics.pages_pending._value.get() == 0

    few, many = (calls(asyncio.run, deliver(pages)) for pages in (100, 400))
    assert many < 4.5 * few


@pytest.mark.asyncio
async def test_a_resolve_follows_its_page_even_while_the_page_is_tried_again():
    rng = random.Random(7)
    keys = [f"triage-{number}" for number in range(8)]
    hook = Fake("webhook", [rng.choice([None, Unavailable("webhook", "down")]) for _ in range(60)])
    rig = Rig(hook)
    for key in keys:
        rig.delivery.submit(page(key), ["webhook"])
        rig.delivery.submit(page(key, "resolved"), ["webhook"])
    await settled(rig)
    for key in keys:
        assert [event for taken, event, _ in hook.taken if taken == key] == ["firing", "resolved"]


@pytest.mark.asyncio
async def test_cancelled_alerts_are_not_sent_and_are_not_done():
    hook = Fake("webhook")
    hook.gate = asyncio.Event()
    rig = Rig(hook)
    rig.delivery.submit(page("triage-1"), ["webhook"])
    rig.delivery.submit(page("triage-2"), ["webhook"])
    await settled(rig)
    rig.delivery.cancel({"triage-1"})
    hook.gate.set()
    await settled(rig)
    assert [key for key, _, _ in hook.taken] == ["triage-2"]
    assert rig.done == [("triage-2", "firing", "webhook")]


@pytest.mark.asyncio
async def test_a_notification_for_a_removed_receiver_is_done_at_once():
    rig = Rig(Fake("log"))
    rig.delivery.submit(page(), ["slack"])
    assert rig.done == [("triage-1", "firing", "slack")]


@pytest.mark.asyncio
async def test_closing_waits_for_attempts_under_way_but_not_for_ever():
    hook = Fake("webhook")
    hook.gate = asyncio.Event()
    rig = Rig(hook)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    await rig.delivery.close(grace_s=0.01)
    assert rig.done == [], "still pending, and stored"


class Limited(Fake):
    rate = Rate(burst=2, per_s=0.5)


@pytest.mark.asyncio
async def test_a_receivers_own_rate_is_kept_to_and_nothing_is_lost():
    hook = Limited("wecom")
    rig = Rig(hook)
    for number in range(6):
        rig.delivery.submit(page(f"triage-{number}"), ["wecom"])
    await settled(rig)
    assert len(hook.taken) == 6
    assert len(rig.slept) == 4, "two at once, then each waits for its turn"
    assert rig.metrics.notifications.labels("wecom", "sent")._value.get() == 6


@pytest.mark.asyncio
async def test_a_receiver_that_asks_for_a_pause_gets_it_from_every_alert():
    hook = Fake("slack", [Throttled("slack", "HTTP 429", 30.0)])
    rig = Rig(hook)
    rig.delivery.submit(page("triage-1"), ["slack"])
    for _ in range(3):
        await asyncio.sleep(0)
    rig.delivery.submit(page("triage-2"), ["slack"])
    await settled(rig)
    assert len(hook.taken) == 2
    assert max(rig.slept) >= 30.0
    assert rig.clock.monotonic() >= 30.0


@pytest.mark.asyncio
async def test_the_time_until_a_receiver_took_it_is_measured_with_its_retries():
    rig = Rig(Fake("webhook", [Throttled("webhook", "HTTP 429", 37.0)]))
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert rig.metrics.notification_seconds.labels("webhook")._sum.get() >= 37.0


class Forgetful(Fake):
    """Ends alerts by itself, as Alertmanager does."""

    resend_every_s = 60.0


class Beats:
    """Sleeps that end when the test says so: `await beats(rig)` lets every waiting one end."""

    def __init__(self):
        self.waiting = []

    async def __call__(self, seconds):
        gate = asyncio.Event()
        self.waiting.append((seconds, gate))
        await gate.wait()

    async def pass_(self):
        waiting, self.waiting = self.waiting, []
        for _, gate in waiting:
            gate.set()
        for _ in range(50):
            await asyncio.sleep(0)


def alive_rig(notifier):
    rig, beats = Rig(notifier, Fake("webhook")), Beats()
    rig.delivery._sleep = beats
    return rig, beats


@pytest.mark.asyncio
async def test_a_page_is_kept_alive_until_its_resolve_and_not_beyond():
    manager = Forgetful("alertmanager")
    rig, beats = alive_rig(manager)
    rig.delivery.submit(page(), ["alertmanager", "webhook"])
    await beats.pass_()
    assert [seconds for seconds, _ in beats.waiting] == [60.0]
    for _ in range(3):
        await beats.pass_()
    assert [event for _, event, _ in manager.taken] == ["firing"] * 4
    rig.delivery.submit(page(event="resolved"), ["alertmanager", "webhook"])
    await beats.pass_()
    await beats.pass_()
    assert [event for _, event, _ in manager.taken] == ["firing"] * 4 + ["resolved"]
    assert beats.waiting == []
    assert sorted(rig.done) == [
        ("triage-1", event, name) for event in ("firing", "resolved") for name in ("alertmanager", "webhook")
    ]
    assert rig.metrics.notifications.labels("alertmanager", "sent")._value.get() == 2


@pytest.mark.asyncio
async def test_a_keep_alive_that_fails_is_followed_by_the_next():
    manager = Forgetful(
        "alertmanager", [None, Unavailable("alertmanager", "down"), Unavailable("alertmanager", "down")]
    )
    rig, beats = alive_rig(manager)
    rig.delivery.submit(page(), ["alertmanager"])
    for _ in range(4):
        await beats.pass_()
    assert len(manager.taken) == 2
    assert len(manager.attempts) == 4
    assert rig.metrics.notifications.labels("alertmanager", "not_kept_alive")._value.get() == 2


@pytest.mark.asyncio
async def test_after_a_restart_it_is_kept_alive_without_being_pending():
    manager = Forgetful("alertmanager")
    rig, beats = alive_rig(manager)
    rig.delivery.keep_alive(page(), ["alertmanager", "webhook"])
    await beats.pass_()
    await beats.pass_()
    assert len(manager.taken) == 2
    assert rig.done == []
    rig.delivery.cancel({"triage-1"})
    await beats.pass_()
    assert len(manager.taken) == 2, "another alerter keeps it alive now"
    await rig.delivery.close(grace_s=0.01)


@pytest.mark.asyncio
async def test_what_it_refused_is_not_kept_alive():
    manager = Forgetful("alertmanager", [DependencyError("alertmanager", "HTTP 400")])
    rig, beats = alive_rig(manager)
    rig.delivery.submit(page(), ["alertmanager"])
    await beats.pass_()
    assert beats.waiting == []


# Numbers and waits


@pytest.mark.asyncio
async def test_pages_are_pending_until_each_receiver_is_done_with_them():
    first, second = Fake("log"), Fake("webhook")
    second.gate = asyncio.Event()
    rig = Rig(first, second)
    rig.delivery.submit(page(), ["log", "webhook"])
    rig.delivery.submit(page(event="resolved"), ["log", "webhook"])
    assert rig.metrics.pages_pending._value.get() == 4
    await settled(rig)
    assert rig.metrics.pages_pending._value.get() == 2
    rig.delivery.cancel({"triage-2"})
    assert rig.metrics.pages_pending._value.get() == 2, "another alert's pages"
    rig.delivery.cancel({"triage-1"})
    assert rig.metrics.pages_pending._value.get() == 0
    await settled(rig)
    assert rig.metrics.pages_pending._value.get() == 0


@pytest.mark.asyncio
async def test_a_receiver_is_asked_for_four_alerts_at_once():
    hook = Fake("webhook")
    hook.gate = asyncio.Event()
    rig = Rig(hook)
    for number in range(6):
        rig.delivery.submit(page(f"triage-{number}"), ["webhook"])
    await settled(rig)
    assert len(hook.attempts) == 4
    hook.gate.set()
    await settled(rig)
    assert len(hook.taken) == 6


@pytest.mark.asyncio
async def test_each_outcome_is_counted():
    hook = Fake(
        "webhook",
        [Unavailable("webhook", "503"), None, DependencyError("webhook", "400"), ZeroDivisionError("x")],
    )
    rig = Rig(hook, notify_backoff_initial_s=1)
    for number in range(3):
        rig.delivery.submit(page(event="firing" if number == 0 else "resolved"), ["webhook"])
    await settled(rig)
    found = {outcome: rig.metrics.notifications.labels("webhook", outcome)._value.get() for outcome in OUTCOMES}
    assert found == {"sent": 1, "refused": 2, "retried": 1, "given_up": 0}


OUTCOMES = ("sent", "refused", "retried", "given_up")


@pytest.mark.asyncio
@pytest.mark.parametrize(("give_up_s", "sent"), [(10, True), (9, False)])
async def test_a_page_is_tried_until_the_next_wait_would_end_after_the_limit(give_up_s, sent):
    hook = Fake("webhook", [Throttled("webhook", "HTTP 429", 10.0)])
    rig = Rig(hook, notify_give_up_s=give_up_s, notify_backoff_initial_s=0.1, notify_backoff_max_s=1)
    rig.delivery.submit(page(), ["webhook"])
    await settled(rig)
    assert bool(hook.taken) is sent
    assert rig.done == [("triage-1", "firing", "webhook")], "done with in any case"
    assert rig.metrics.notifications.labels("webhook", "given_up")._value.get() == (0 if sent else 1)


@pytest.mark.asyncio
async def test_what_went_wrong_is_logged_with_receiver_and_alert(capsys):
    hook = Fake("webhook", [Unavailable("webhook", "HTTP 503"), DependencyError("webhook", "HTTP 400")])
    rig = Rig(hook, notify_backoff_initial_s=1)
    rig.delivery.submit(page(), ["webhook", "nobody"])
    await settled(rig)
    said = capsys.readouterr().out
    assert said.count("triage-1") == 3
    for event in ("notification_retried", "notification_refused", "receiver_gone"):
        assert event in said


@pytest.mark.asyncio
async def test_a_beat_is_sent_at_its_interval_and_is_not_pending():
    manager = Forgetful("alertmanager")
    rig, beats = alive_rig(manager)
    rig.delivery.submit(page(), ["alertmanager"])
    await settled(rig)
    assert [seconds for seconds, _ in beats.waiting] == [60.0]
    await beats.pass_()
    assert len(manager.taken) == 2
    assert rig.metrics.pages_pending._value.get() == 0
    assert rig.metrics.notifications.labels("alertmanager", "kept_alive")._value.get() == 1
    assert rig.done == [("triage-1", "firing", "alertmanager")]
    rig.delivery.submit(page(event="acknowledged"), ["alertmanager"])
    await settled(rig)
    assert len(beats.waiting) == 1, "an acknowledged page is kept alive, too"
    rig.delivery.cancel({"triage-1"})
    await settled(rig)
    await beats.pass_()
    assert len(manager.taken) == 3
