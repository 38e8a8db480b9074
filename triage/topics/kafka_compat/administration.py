"""Requests about the cluster and its topics whose responses the library cannot read or interprets wrongly."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType

from triage.topics.kafka_types import Admin


def broker_count(admin: Admin) -> int | None:
    """Return the number of brokers in the cluster; None if kafka-python cannot read it.

    Its `describe_cluster` fails with a KeyError on brokers that support only version 0 of DescribeCluster (Kafka
    before 3.7). Remove when it does not expect `endpoint_type` in every response.
    """
    with suppress(KeyError):
        return len(admin.describe_cluster()["brokers"])
    return None


def topic_configs(admin: Admin, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the settings of each topic by name; {} for a topic whose settings the user is not allowed to read.

    The library drops the error in the broker's response and returns no settings; every topic has some, so none means
    that the permission is missing. Remove when `describe_configs` raises TopicAuthorizationFailedError.
    """
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = admin.describe_configs(resources, config_filter="all").get("topic", {}) if resources else {}
    return {resource.name: found.get(resource.name, {}) for resource in resources}
