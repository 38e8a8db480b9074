"""The test of receivers by `triage alerts test`: one alert from its page to its resolve."""

import asyncio

from triage.alerting.delivery.test_notification import send_test_notification
from triage.clock import ManualClock
from triage.config import Settings


class Slow:
    """A receiver that takes a minute and a half for each message."""

    name = "slow"
    acknowledges = True

    def __init__(self, clock):
        self._clock, self.sent = clock, []

    async def send(self, notification):
        self.sent.append(notification)
        self._clock.advance(90)

    async def close(self):
        pass


def test_all_messages_of_a_test_have_one_key_however_slow_a_receiver_is():
    clock = ManualClock(1_795_339_800_000)
    first, second = Slow(clock), Slow(clock)
    asyncio.run(send_test_notification(Settings(), clock, [first, second]))
    assert [each.event for each in first.sent] == ["firing", "acknowledged", "resolved"]
    assert len({each.alert.dedup_key for each in [*first.sent, *second.sent]}) == 1
    asyncio.run(send_test_notification(Settings(), clock, [first]))
    assert first.sent[-1].alert.dedup_key != first.sent[0].alert.dedup_key
