"""Partitions and replicas of the topics that the alerter reads, which it must know before it starts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from triage.alerting.app.actions import TOPIC as ACTIONS
from triage.clock import Clock
from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.pipeline.batch import Partition
from triage.types import Channel

if TYPE_CHECKING:
    from triage.topics.kafka_types import Admin


@dataclass(frozen=True)
class Topology:
    """Number of partitions and of replicas of `window-counts`, and the set of all partitions of the raw topics.

    `min_in_sync` is the min.insync.replicas of `window-counts`; None if it cannot be read.
    """

    partitions: int
    replicas: int
    raw: frozenset[Partition]
    min_in_sync: str | None = None


def read_topology(settings: KafkaSettings, channels: list[str], clock: Clock) -> Topology:
    """Read the topology from the brokers; `channels` are those whose raw topics count.

    Raises ConfigError if a topic is missing, Unavailable if the brokers do not answer, AccessDenied if they refuse
    access.
    """
    from triage.topics import require_topics
    from triage.topics.connect import ask_brokers
    from triage.topics.definitions import RAW_TOPICS
    from triage.topics.kafka_compat import topic_configs

    counts = settings.topic("window-counts")
    names = [RAW_TOPICS[Channel(channel)] for channel in channels]
    raw = [settings.topic(name) for name in names]
    require_topics(settings, ["window-counts", "alerts", ACTIONS, *names], clock=clock)

    def ask(admin: "Admin") -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
        topics = {topic["name"]: topic["partitions"] for topic in admin.describe_topics([counts, *raw])}
        if unknown := [name for name in (counts, *raw) if not topics.get(name)]:
            # A broker that has just started knows them a little later.
            raise Unavailable("kafka", f"not every broker knows {', '.join(unknown)} yet")
        return topic_configs(admin, [counts])[counts], topics

    configs, described = ask_brokers(settings, ask, clock=clock)
    return Topology(
        partitions=len(described[counts]),
        replicas=min(len(partition["replica_nodes"]) for partition in described[counts]),
        raw=frozenset((name, index) for name in raw for index in range(len(described[name]))),
        min_in_sync=configs.get("min.insync.replicas", {}).get("value"),
    )
