"""Defines and creates Kafka topics, connects to brokers, reads topics, and translates kafka-python's errors."""

from triage.topics.admin import apply_topics, plan_topics, require_topics
from triage.topics.connect import admin_client, ask_brokers, translate, wait_for_kafka
from triage.topics.definitions import TopicDefinition, load_definitions
from triage.topics.diff import ConfigChange, Plan, TopicChange

__all__ = [
    "ConfigChange",
    "Plan",
    "TopicChange",
    "TopicDefinition",
    "admin_client",
    "apply_topics",
    "ask_brokers",
    "load_definitions",
    "plan_topics",
    "require_topics",
    "translate",
    "wait_for_kafka",
]
