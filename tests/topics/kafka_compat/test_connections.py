"""Clients that never reach a broker."""

import gc
import logging
import socket
import threading
import time
from pathlib import Path

import kafka
import pytest
from kafka import KafkaConsumer
from kafka.errors import (
    KafkaError,
)

from triage.topics.kafka_compat import BoundedProducer, CooperativeConsumer, closing_on_failure
from triage.topics.kafka_compat.connections import _quiet

FILES = Path("/proc/self/fd")


@pytest.fixture
def mute():
    """Address of a server that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def _held():
    return threading.active_count(), sum(1 for _ in FILES.iterdir())


def _grown(before):
    """Fewer is no leak: something of an earlier test may have ended."""
    return any(now > was for now, was in zip(_held(), before, strict=True))


def _plain(**configs):
    with closing_on_failure() as client:
        return KafkaConsumer(kafka_client=client, **configs)


@pytest.mark.skipif(not FILES.is_dir(), reason="counts open files in /proc")
@pytest.mark.parametrize(
    "make",
    [_plain, lambda **configs: CooperativeConsumer(group_id="g", **configs), BoundedProducer],
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


def test_the_library_leaves_a_thread_behind(mute):
    made = []

    def client(**configs):
        made.append(kafka.net.compat.KafkaNetClient(**configs))
        return made[-1]

    with pytest.raises(KafkaError):
        KafkaConsumer(kafka_client=client, client_id="left", bootstrap_servers=mute, bootstrap_timeout_ms=150)
    try:
        assert "kafka-io-left" in [thread.name for thread in threading.enumerate()]
    finally:
        made[0].close()


def test_probes_of_several_threads_are_quiet_and_none_waits_for_another():
    logger = logging.getLogger("kafka")
    inside, leave = threading.Barrier(3), threading.Event()

    def probe():
        with _quiet:
            inside.wait(10)
            leave.wait(10)

    before = logger.level
    threads = [threading.Thread(target=probe) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    assert not logger.isEnabledFor(logging.CRITICAL)
    leave.set()
    for thread in threads:
        thread.join(10)
    assert logger.level == before
