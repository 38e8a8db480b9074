"""A broker that takes connections and answers nothing costs no thread and no socket, however often it is tried."""

import socket
import threading
import time
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from triage.pipeline.consumer import GroupConsumer
from triage.pipeline.producer import BoundedProducer
from triage.topics.clients import cleared_away

FILES = Path("/proc/self/fd")


@pytest.fixture
def mute():
    """Address of a server that never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _held():
    return threading.active_count(), sum(1 for _ in FILES.iterdir())


def _plain(**configs):
    with cleared_away() as client:
        return KafkaConsumer(kafka_client=client, **configs)


@pytest.mark.skipif(not FILES.is_dir(), reason="counts open files in /proc")
@pytest.mark.parametrize(
    "make",
    [_plain, lambda **configs: GroupConsumer(group_id="g", **configs), BoundedProducer],
    ids=["consumer", "member", "producer"],
)
def test_a_client_that_reaches_no_broker_leaves_nothing_behind(mute, make):
    before = _held()
    for _ in range(3):
        with pytest.raises(KafkaError):
            make(bootstrap_servers=mute, bootstrap_timeout_ms=150)
    until = time.monotonic() + 5
    while _held() != before and time.monotonic() < until:
        time.sleep(0.02)
    assert _held() == before
