"""Settings of one worker with topics of its own, for tests of the Kafka source on a stack."""

import pytest

from triage.config import load_settings
from triage.topics import apply_topics


@pytest.fixture
def settings(stack, prefix):
    settings = load_settings(
        None,
        {
            "kafka.bootstrap_servers": stack.bootstrap_servers,
            "kafka.topic_prefix": prefix,
            "worker.group": prefix,
            "worker.heartbeat_interval_ms": 1000,
        },
    )
    apply_topics(settings.kafka)
    return settings
