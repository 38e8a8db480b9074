"""A message that the broker refuses for its size ends the worker with a reason; trying again would last for ever."""

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource

from triage.clock import SystemClock
from triage.errors import ConfigError
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.source import Message
from triage.topics import admin_client


@pytest.mark.real  # The local stack takes messages of any size.
def test_the_topic_the_size_and_the_setting_are_named(stack, prefix, settings):
    raw, out = settings.kafka.topic("complaints"), settings.kafka.topic("enriched")
    with admin_client(settings.kafka) as admin:
        admin.alter_configs([ConfigResource("topic", out, {"max.message.bytes": "10000"})])
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    producer.send(raw, value=b"1", partition=0).get(30)
    producer.close()
    source = KafkaSource(settings.kafka, settings.worker, [raw], MemberIdentity(f"{prefix}-0", SystemClock()))
    found = []
    while not found:
        found = source.poll(200, 1)
    small, large = Message(out, b"k", b"x" * 100), Message(out, b"k", b"x" * 20_000)
    with pytest.raises(ConfigError, match=rf"refuses a message of 20,000 bytes in {out}; .*max\.message\.bytes"):
        source.commit([small, large], {found[0].partition: 1})
    source.close()
    # The refused batch used up sequence numbers of its producer: a worker that goes on has a new one.
    successor = KafkaSource(settings.kafka, settings.worker, [raw], MemberIdentity(f"{prefix}-0", SystemClock()))
    while not successor.poll(200, 1):
        pass
    successor.commit([small], {found[0].partition: 1})
    successor.close()
