"""Clients start although one of the addresses is that of a broker that accepts connections and answers nothing."""

import random
import socket
from types import SimpleNamespace

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaTimeoutError
from kafka.net import manager
from kafka.net.manager import KafkaConnectionManager

from triage.topics.kafka_compat import closing_on_failure, connections

pytestmark = pytest.mark.stack


@pytest.fixture
def options(stack, monkeypatch):
    """Settings of a client that chooses the frozen broker first, and has little time."""
    monkeypatch.setattr(KafkaConnectionManager, "get_connection", connections._get_connection)
    monkeypatch.setitem(KafkaConnectionManager.DEFAULT_CONFIG, "socket_connection_setup_timeout_ms", 300)
    with socket.create_server(("127.0.0.1", 0)) as frozen:
        port = frozen.getsockname()[1]
        chosen = []

        def choose(brokers):
            chosen.append(next(each for each in brokers if (each.port == port) is not bool(chosen)))
            return chosen[-1]

        monkeypatch.setattr(manager, "random", SimpleNamespace(**vars(random) | {"choice": choose}))
        yield {
            "bootstrap_servers": [f"127.0.0.1:{port}", stack.bootstrap_servers.split(",")[0]],
            "bootstrap_timeout_ms": 5_000,
        }


def test_the_library_spends_the_whole_start_on_a_frozen_broker(options):
    with pytest.raises(KafkaTimeoutError, match="Unable to bootstrap"):
        KafkaConsumer(**options | {"bootstrap_timeout_ms": 1_000})


def test_the_next_address_is_tried(options):
    with closing_on_failure() as client:
        consumer = KafkaConsumer(kafka_client=client, **options)
    assert consumer.topics() is not None
    consumer.close()
