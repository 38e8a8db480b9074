"""Receivers side by side, over real connections: what one does is no matter of another."""

import asyncio
import threading

import pytest
from pages import page

from triage.alerting.delivery.dispatcher import Dispatcher
from triage.alerting.delivery.test_notification import send_test_notification
from triage.alerting.notifiers import build_notifiers
from triage.clock import SystemClock
from triage.config import Settings
from triage.metrics import Metrics


async def until(condition, timeout_s=20):
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in other threads too
            await asyncio.sleep(0.01)


@pytest.fixture
def hanging(serve):
    """A server that takes the connection and the request, and never answers."""
    gate = threading.Event()

    def hang(sent):
        gate.wait(60)

    yield serve(hang)
    gate.set()


def test_one_that_hangs_delays_no_other(serve, hanging):
    fine = serve(lambda sent: (200, {"errcode": 0}))
    alerting = Settings(
        alerting={
            "slack_url": hanging.url, "webhook_url": fine.url, "wecom_url": f"{fine.url}/robot", "notify_timeout_s": 60,
        }
    ).alerting  # fmt: skip
    done = []

    async def run():
        delivery = Dispatcher(
            build_notifiers(alerting), alerting, SystemClock(), Metrics(), lambda *what: done.append(what[2])
        )
        for number in range(3):
            delivery.submit(page(dedup_key=f"triage-{number}"), ["log", "slack", "webhook", "wecom"])
        # The one that hangs was asked too, and is still being waited for.
        await until(lambda: len(done) == 9 and len(hanging.sent) == 3)
        await delivery.close(grace_s=0.01)

    asyncio.run(run())
    assert sorted(set(done)) == ["log", "webhook", "wecom"]


def test_a_receiver_that_recovers_gets_its_page_then(serve):
    answers = [(503, b""), (429, b"", {"retry-after": "0.01"}), None, (200, b"ok")]
    server = serve(lambda sent: answers.pop(0))
    alerting = Settings(
        alerting={"slack_url": server.url, "notify_backoff_initial_s": 0.01, "notify_backoff_max_s": 0.02}
    ).alerting
    metrics, done = Metrics(), []

    async def run():
        delivery = Dispatcher(
            build_notifiers(alerting), alerting, SystemClock(), metrics, lambda *what: done.append(what)
        )
        delivery.submit(page(), ["slack"])
        await until(lambda: done)
        await delivery.close(grace_s=1)

    asyncio.run(run())
    assert len(server.sent) == 4
    assert b"sent again" in server.sent[-1].body
    assert metrics.notifications.labels("slack", "retried")._value.get() == 3
    assert metrics.notifications.labels("slack", "sent")._value.get() == 1


def test_a_trial_says_what_each_receiver_answered(serve, hanging):
    fine, gone = serve(lambda sent: (200, {})), serve(lambda sent: (404, b"no_service"))
    settings = Settings(
        alerting={
            "webhook_url": fine.url, "slack_url": gone.url, "alertmanager_url": hanging.url, "notify_timeout_s": 5,
            "language": "zh",
        }
    )  # fmt: skip
    said = asyncio.run(send_test_notification(settings, SystemClock()))
    assert said["log"] == {"firing": None, "resolved": None}
    assert said["webhook"] == {"firing": None, "acknowledged": None, "resolved": None}
    assert said["slack"] == {"firing": "slack: HTTP 404 no_service; check alerting.slack_url"}
    assert list(said["alertmanager"]) == ["firing"]
    assert said["alertmanager"]["firing"] is not None
    assert "告警测试" in fine.sent[0].body.decode()
