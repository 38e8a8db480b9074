"""Numbers of the delivery: pages that wait, waits, and what is counted and logged of each attempt."""

import asyncio

import pytest
from delivery_rig import Fake, Forgetful, Rig, alive_rig, page, settled

from triage.alerting.notifiers import Throttled
from triage.errors import DependencyError, Unavailable


@pytest.mark.asyncio
async def test_pages_are_pending_until_each_receiver_is_done_with_them():
    first, second = Fake("log"), Fake("webhook")
    second.gate = asyncio.Event()
    rig = Rig(first, second)
    rig.delivery.submit(page(), ["log", "webhook"])
    rig.delivery.submit(page(event="resolved"), ["log", "webhook"])
    assert rig.metrics.pages_pending._value.get() == 4
    await settled()
    assert rig.metrics.pages_pending._value.get() == 2
    rig.delivery.cancel({"triage-2"})
    assert rig.metrics.pages_pending._value.get() == 2, "another alert's pages"
    rig.delivery.cancel({"triage-1"})
    assert rig.metrics.pages_pending._value.get() == 0
    await settled()
    assert rig.metrics.pages_pending._value.get() == 0


@pytest.mark.asyncio
async def test_a_receiver_is_asked_for_four_alerts_at_once():
    hook = Fake("webhook")
    hook.gate = asyncio.Event()
    rig = Rig(hook)
    for number in range(6):
        rig.delivery.submit(page(f"triage-{number}"), ["webhook"])
    await settled()
    assert len(hook.attempts) == 4
    hook.gate.set()
    await settled()
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
    await settled()
    found = {outcome: rig.metrics.notifications.labels("webhook", outcome)._value.get() for outcome in OUTCOMES}
    assert found == {"sent": 1, "refused": 2, "retried": 1, "given_up": 0}


OUTCOMES = ("sent", "refused", "retried", "given_up")


@pytest.mark.asyncio
@pytest.mark.parametrize(("give_up_s", "sent"), [(10, True), (9, False)])
async def test_a_page_is_tried_until_the_next_wait_would_end_after_the_limit(give_up_s, sent):
    hook = Fake("webhook", [Throttled("webhook", "HTTP 429", 10.0)])
    rig = Rig(hook, notify_give_up_s=give_up_s, notify_backoff_initial_s=0.1, notify_backoff_max_s=1)
    rig.delivery.submit(page(), ["webhook"])
    await settled()
    assert bool(hook.taken) is sent
    assert rig.done == [("triage-1", "firing", "webhook")], "done with in any case"
    assert rig.metrics.notifications.labels("webhook", "given_up")._value.get() == (0 if sent else 1)


@pytest.mark.asyncio
async def test_what_went_wrong_is_logged_with_receiver_and_alert(capsys):
    hook = Fake("webhook", [Unavailable("webhook", "HTTP 503"), DependencyError("webhook", "HTTP 400")])
    rig = Rig(hook, notify_backoff_initial_s=1)
    rig.delivery.submit(page(), ["webhook", "nobody"])
    await settled()
    said = capsys.readouterr().out
    assert said.count("triage-1") == 3
    for event in ("notification_retried", "notification_refused", "receiver_gone"):
        assert event in said


@pytest.mark.asyncio
async def test_a_beat_is_sent_at_its_interval_and_is_not_pending():
    manager = Forgetful("alertmanager")
    rig, beats = alive_rig(manager)
    rig.delivery.submit(page(), ["alertmanager"])
    await settled()
    assert [seconds for seconds, _ in beats.waiting] == [60.0]
    await beats.pass_()
    assert len(manager.taken) == 2
    assert rig.metrics.pages_pending._value.get() == 0
    assert rig.metrics.notifications.labels("alertmanager", "kept_alive")._value.get() == 1
    assert rig.done == [("triage-1", "firing", "alertmanager")]
    rig.delivery.submit(page(event="acknowledged"), ["alertmanager"])
    await settled()
    assert len(beats.waiting) == 1, "an acknowledged page is kept alive, too"
    rig.delivery.cancel({"triage-1"})
    await settled()
    await beats.pass_()
    assert len(manager.taken) == 3
