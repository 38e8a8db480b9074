"""Workarounds for kafka-python. Written against 3.0.12, the newest release; another minor version needs a review.

Each entry describes what the library does, its effect, and when the workaround can be removed. If a test can detect
that, it is named: these tests are in `tests/topics/kafka_compat` and fail once the library is fixed. Only this package
uses private attributes of the library. See docs/decisions/0008-honest-group-members.md.
"""

from triage.topics.kafka_compat.administration import broker_count, topic_configs
from triage.topics.kafka_compat.connections import closing_on_failure, probe
from triage.topics.kafka_compat.consumer import CooperativeConsumer
from triage.topics.kafka_compat.errors import FENCED, UNUSABLE, error_text
from triage.topics.kafka_compat.fair_reading import read_fairly
from triage.topics.kafka_compat.offsets import known_offsets, report_resets
from triage.topics.kafka_compat.producer import BoundedProducer, CoordinatorSeekingClient, end_producer
from triage.topics.kafka_compat.records import read_any_header_names, sendable_headers
from triage.topics.kafka_compat.unreadable_batches import stop_at_unreadable

REVIEWED = "3.0"
"""The minor version that the workarounds were checked against."""

__all__ = [
    "FENCED",
    "REVIEWED",
    "UNUSABLE",
    "BoundedProducer",
    "CooperativeConsumer",
    "CoordinatorSeekingClient",
    "broker_count",
    "closing_on_failure",
    "end_producer",
    "error_text",
    "known_offsets",
    "probe",
    "read_any_header_names",
    "read_fairly",
    "report_resets",
    "sendable_headers",
    "stop_at_unreadable",
    "topic_configs",
]
