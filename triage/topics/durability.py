"""Warns about topics whose records the failure of one broker would make unavailable or lose.

Pure: contacts no broker.
"""

from collections.abc import Iterable, Mapping

from triage.topics.definitions import TopicDefinition

INTERNAL = ("__consumer_offsets", "__transaction_state")
"""Kafka's own topics that hold the committed offsets and the states of transactions."""


def durability_warnings(
    definitions: Iterable[TopicDefinition],
    configs: Mapping[str, Mapping[str, str | None]],
    internal: Mapping[str, int],
    brokers: int | None,
) -> list[str]:
    """Describe, as sentences, the effects of losing one broker in a cluster of `brokers` brokers.

    `configs` has the settings of the existing topics by full name, `internal` the replication factors of those of
    Kafka's own topics that exist and may be described. For one broker, or an unknown number, the result is empty.
    """
    if brokers is None or brokers < 2:
        return []
    definitions = list(definitions)
    single = [definition.full_name for definition in definitions if definition.replication_factor == 1]
    alone = [
        definition.full_name
        for definition in definitions
        if definition.replication_factor > 1 and definition.config.get("min.insync.replicas") == "1"
    ]
    every = [
        definition.full_name
        for definition in definitions
        if definition.config.get("min.insync.replicas") == str(definition.replication_factor) != "1"
    ]
    unclean = [
        definition.full_name
        for definition in definitions
        if definition.config.get(
            "unclean.leader.election.enable",
            configs.get(definition.full_name, {}).get("unclean.leader.election.enable"),
        )
        == "true"
    ]
    own = [name for name, replicas in internal.items() if replicas == 1]
    found = [
        (
            single,
            f"replication_factor 1 on a cluster of {brokers} brokers: with a broker its records are gone, and nothing "
            "of them is read or written until it is back; set kafka.environment to one with replicas, as production",
        ),
        (
            alone,
            "min.insync.replicas 1: a record that only the leader has is acknowledged, and lost with it; set it to 2",
        ),
        (every, "min.insync.replicas equal to replication_factor: one broker that stops refuses every record"),
        (
            unclean,
            "unclean.leader.election.enable true: acknowledged records are lost when a replica that lags becomes "
            "the leader; set it to false",
        ),
        (
            own,
            "replication factor 1: workers stop when its broker does, and offsets are lost with its disk; reassign its "
            "partitions with kafka-reassign-partitions",
        ),
    ]
    return [f"{', '.join(names)}: {problem}" for names, problem in found if names]
