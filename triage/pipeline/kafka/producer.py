"""Configuration of transactional producers."""

from typing import Any

from triage.config import KafkaSettings, WorkerSettings
from triage.config.kafka import LINGER_MS

MAX_REQUEST_BYTES = 8 * 1024 * 1024


def transactional(kafka: KafkaSettings, worker: WorkerSettings, name: str) -> dict[str, Any]:
    """Return the arguments of a BoundedProducer that has `name` as its transactional id and client id."""
    return {
        **kafka.client(),
        "client_id": name,
        "transactional_id": name,
        "transaction_timeout_ms": worker.transaction_timeout_ms,
        "request_timeout_ms": kafka.request_timeout_ms,
        "max_block_ms": kafka.request_timeout_ms,
        "linger_ms": LINGER_MS,
        "delivery_timeout_ms": kafka.delivery_timeout_ms,
        "max_request_size": MAX_REQUEST_BYTES,
    }
