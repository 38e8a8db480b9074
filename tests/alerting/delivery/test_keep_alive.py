"""Receivers that end alerts by themselves hear of a firing one again and again, until it is over."""

import pytest
from delivery_rig import Forgetful, alive_rig, page

from triage.errors import DependencyError, Unavailable


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
