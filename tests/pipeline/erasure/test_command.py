"""The writer of an erasure waits as long as its producer does."""

from types import SimpleNamespace

from triage.config import load_settings
from triage.pipeline.erasure import command


def test_messages_have_the_time_in_which_a_frozen_leader_gets_a_successor():
    waits = []

    def get(timeout):
        waits.append(timeout)

    producer = SimpleNamespace(send=lambda *_, **__: SimpleNamespace(get=get))
    writer = command._Writer(load_settings(None, {"kafka.request_timeout_ms": 5_000}), producer)
    writer.send("enriched", b"key", None)
    writer.flush()
    # The producer itself sends a message again for two request timeouts.
    assert waits == [11.0]
