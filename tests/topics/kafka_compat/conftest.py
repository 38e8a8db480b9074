import json
import uuid

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka_reading import EACH


@pytest.fixture
def topic(stack):
    """A topic with `EACH` records in each of two partitions."""
    name = f"parked-{uuid.uuid4().hex[:8]}"
    admin = KafkaAdminClient(bootstrap_servers=stack.bootstrap_servers)
    admin.create_topics([NewTopic(name, num_partitions=2, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number in range(2 * EACH):
        producer.send(name, value=json.dumps(number).encode(), partition=number % 2)
    producer.flush()
    producer.close()
    yield name
    admin.delete_topics([name])
    admin.close()
