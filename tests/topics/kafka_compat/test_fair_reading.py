"""One partition after the other."""

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka_reading import EACH, read

from triage.topics.kafka_compat import read_fairly


@pytest.mark.stack
@pytest.mark.parametrize(("fair", "partitions"), [(False, 1), (True, 2)], ids=["library", "fair"])
def test_the_library_reads_one_partition_after_the_other(stack, topic, fair, partitions):
    consumer = KafkaConsumer(
        bootstrap_servers=stack.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        if fair:
            read_fairly(consumer, lambda _: 1)
        consumer.assign([TopicPartition(topic, number) for number in range(2)])
        found = read(lambda: consumer.poll(timeout_ms=200, max_records=5), {}, 20, enough=20)
        assert len(found) == partitions
        read(lambda: consumer.poll(timeout_ms=200, max_records=5), found, 20)
        assert set(found.values()) == {EACH}
    finally:
        consumer.close(autocommit=False)
