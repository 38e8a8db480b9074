"""A broker that takes connections and answers nothing costs no thread and no socket, however often it is tried."""

import gc
import socket
import threading
import time
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from triage.pipeline.kafka.consumer import GroupConsumer
from triage.pipeline.kafka.producer import BoundedProducer
from triage.topics.clients import cleared_away

FILES = Path("/proc/self/fd")


@pytest.fixture
def mute():
    """Address of a server that never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _held():
    return threading.active_count(), sum(1 for _ in FILES.iterdir())


def _grown(before):
    """Fewer is no leak: something of an earlier test may have ended."""
    return any(now > was for now, was in zip(_held(), before, strict=True))


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
    # What earlier tests left to the collector must not go in between.
    gc.collect()
    before = _held()
    for _ in range(3):
        with pytest.raises(KafkaError):
            make(bootstrap_servers=mute, bootstrap_timeout_ms=150)
    until = time.monotonic() + 30
    while _grown(before) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _grown(before), f"{before} became {_held()}"
