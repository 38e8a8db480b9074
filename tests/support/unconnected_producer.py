"""A producer of kafka-python without a broker."""

from typing import Any

from kafka import KafkaProducer


def unconnected(**attributes: Any) -> KafkaProducer:
    """A producer without a broker, as far as the test needs it."""
    producer = KafkaProducer.__new__(KafkaProducer)
    producer.__dict__.update(_closed=True, config={"api_version": (4, 0), "request_timeout_ms": 10}, **attributes)
    return producer
