"""Delivery: each receiver on its own, in order for each alert, again until it is taken or refused."""

import asyncio
import random

import pytest
from delivery_rig import Fake, Rig, page, refusal, settled
from engine_rig import calls

from triage.alerting.notifiers import Refused, Throttled
from triage.errors import AccessDenied, DependencyError, Unavailable
from triage.runtime.rate_limiter import Rate


@pytest.mark.asyncio
async def test_a_page_reaches_every_receiver_once():
    first, second = Fake("log"), Fake("webhook")
    rig = Rig(first, second)
    rig.delivery.submit(page(), ["log", "webhook"])
    await settled()
    assert first.taken == second.taken == [("triage-1", "firing", False)]
    assert sorted(rig.done) == [("triage-1", "firing", "log"), ("triage-1", "firing", "webhook")]


@pytest.mark.asyncio
async def test_trouble_is_tried_again_with_growing_waits_and_marked_resent():
    hook = Fake("webhook", [Unavailable("webhook", "HTTP 503")] * 6)
    rig = Rig(hook, notify_backoff_initial_s=1, notify_backoff_max_s=8)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
    assert hook.taken == [("triage-1", "firing", True)]
    bounds = [1, 2, 4, 8, 8, 8]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(rig.slept, bounds, strict=True))


@pytest.mark.asyncio
async def test_retry_after_is_honoured():
    hook = Fake("webhook", [Throttled("webhook", "HTTP 429", 37.0)])
    rig = Rig(hook)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
    assert rig.slept[0] >= 37.0
    assert len(hook.taken) == 1


@pytest.mark.asyncio
async def test_a_page_that_cannot_be_taken_is_final_and_its_resolve_is_not_sent():
    hook = Fake("webhook", [DependencyError("webhook", "HTTP 400")])
    rig = Rig(hook)
    rig.delivery.submit(page(), ["webhook"])
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    rig.delivery.submit(page("triage-2"), ["webhook"])
    await settled()
    assert hook.taken == [("triage-2", "firing", False)]
    assert rig.done[:2] == [("triage-1", "firing", "webhook"), ("triage-1", "resolved", "webhook")]
    assert rig.metrics.notifications.labels("webhook", "not_needed")._value.get() == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [AccessDenied, Refused])
async def test_a_receiver_that_refuses_is_asked_slowly_until_it_takes_the_page(kind):
    hook = Fake("webhook", [kind("webhook", "HTTP 403")] * 9)
    rig = Rig(hook, notify_backoff_max_s=60, notify_give_up_s=120)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
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
    await settled()
    assert rig.metrics.pages_refused.labels("webhook")._value.get() == 1
    assert rig.done == []
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled()
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
    await settled()
    assert hook.taken == []
    assert rig.done == [("triage-1", "firing", "webhook"), ("triage-1", "resolved", "webhook")]


@pytest.mark.asyncio
async def test_one_refused_page_delays_no_other_and_is_forgotten_with_its_partition():
    hook = Fake("webhook", [refusal()])
    rig = Asleep(hook)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
    rig.delivery.submit(page("triage-2"), ["webhook"])
    await settled()
    assert hook.taken == [("triage-2", "firing", False)]
    rig.delivery.cancel({"triage-1"})
    assert rig.metrics.pages_refused.labels("webhook")._value.get() == 0
    await rig.delivery.close(grace_s=0.01)


@pytest.mark.asyncio
async def test_a_receiver_that_refused_and_is_down_then_is_not_given_up():
    hook = Fake("webhook", [refusal()] * 3 + [Unavailable("webhook", "HTTP 503")] * 3)
    rig = Rig(hook, notify_backoff_max_s=60, notify_give_up_s=60)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
    assert hook.taken == [("triage-1", "firing", True)]


@pytest.mark.asyncio
async def test_a_resolve_that_is_refused_is_sent_again_until_it_is_given_up():
    hook = Fake("webhook", [None, refusal(), refusal(), None])
    rig = Rig(hook, notify_give_up_s=3600)
    rig.delivery.submit(page(), ["webhook"])
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled()
    assert [event for _, event, _ in hook.taken] == ["firing", "resolved"]
    hook = Fake("webhook", [None] + [refusal()] * 99)
    rig = Rig(hook, notify_give_up_s=3600)
    rig.delivery.submit(page(), ["webhook"])
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled()
    assert len(rig.done) == 2
    assert rig.metrics.notifications.labels("webhook", "given_up")._value.get() == 1


@pytest.mark.asyncio
async def test_a_fault_in_a_notifier_ends_nothing():
    broken, fine = Fake("webhook", [ZeroDivisionError()]), Fake("log")
    rig = Rig(broken, fine)
    rig.delivery.submit(page(), ["webhook", "log"])
    await settled()
    assert len(rig.done) == 2
    assert fine.taken == [("triage-1", "firing", False)]


@pytest.mark.asyncio
async def test_an_error_of_the_callback_does_not_end_the_lane(capsys):
    hook = Fake("webhook")
    rig = Rig(hook)
    rig.delivery._done = lambda *what: rig.done.append(what[:3]) if rig.done else rig.done.append(1 / 0)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
    rig.done.append("mended")
    rig.delivery.submit(page(event="resolved"), ["webhook"])
    await settled()
    assert [event for _, event, _ in hook.taken] == ["firing", "resolved"]
    assert rig.done[-1] == ("triage-1", "resolved", "webhook")
    assert "ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.asyncio
async def test_it_gives_up_after_a_while_and_says_so():
    hook = Fake("webhook", [Unavailable("webhook", "down")] * 10_000)
    rig = Rig(hook, notify_give_up_s=600, notify_backoff_max_s=60)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
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
    await settled()
    assert len(fine.taken) == 10
    assert len(stuck.attempts) == 4, "a bounded number of attempts at once"
    stuck.gate.set()
    await settled()
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
    await settled()
    for key in keys:
        assert [event for taken, event, _ in hook.taken if taken == key] == ["firing", "resolved"]


@pytest.mark.asyncio
async def test_cancelled_alerts_are_not_sent_and_are_not_done():
    hook = Fake("webhook")
    hook.gate = asyncio.Event()
    rig = Rig(hook)
    rig.delivery.submit(page("triage-1"), ["webhook"])
    rig.delivery.submit(page("triage-2"), ["webhook"])
    await settled()
    rig.delivery.cancel({"triage-1"})
    hook.gate.set()
    await settled()
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
    await settled()
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
    await settled()
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
    await settled()
    assert len(hook.taken) == 2
    assert max(rig.slept) >= 30.0
    assert rig.clock.monotonic() >= 30.0


@pytest.mark.asyncio
async def test_the_time_until_a_receiver_took_it_is_measured_with_its_retries():
    rig = Rig(Fake("webhook", [Throttled("webhook", "HTTP 429", 37.0)]))
    rig.delivery.submit(page(), ["webhook"])
    await settled()
    assert rig.metrics.notification_seconds.labels("webhook")._sum.get() >= 37.0
