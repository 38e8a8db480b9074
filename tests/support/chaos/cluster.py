"""The state of the clusters under test: leaders, coordinators, primaries, and whether all replicas are in sync."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
from chaos.stack import Stack
from harness import wait_for
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

# A broker that was killed copies what it missed before it is in sync; on a busy machine that takes its time.
WHOLE_S = 300.0
_MASK = 0x7FFFFFFF


class Cluster:
    """Answers about the brokers and nodes by the names that the control program knows.

    Ask before a fault: every method needs brokers or nodes that answer. Raises KafkaError, httpx.HTTPError, and
    LookupError while something has no leader.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def leader(self, topics: Iterable[str]) -> str:
        """The broker that leads most partitions of the topics."""
        with self._admin() as admin:
            leaders = Counter(
                partition["leader_id"]
                for topic in admin.describe_topics(list(topics))
                for partition in topic["partitions"]
            )
            return self._broker(admin, leaders.most_common(1)[0][0])

    def controller(self) -> str:
        """The broker whose controller is the active one."""
        with self._admin() as admin:
            (topic,) = admin.describe_metadata_quorum()["topics"]
            return self._broker(admin, topic["partitions"][0]["leader_id"])

    def group_coordinator(self, group: str) -> str:
        return self._coordinator("__consumer_offsets", group)

    def transaction_coordinator(self, transactional_id: str) -> str:
        return self._coordinator("__transaction_state", transactional_id)

    def _coordinator(self, topic: str, name: str) -> str:
        with self._admin() as admin:
            (found,) = admin.describe_topics([topic])
            leaders = {partition["partition_index"]: partition["leader_id"] for partition in found["partitions"]}
            return self._broker(admin, leaders[(java_hash(name) & _MASK) % len(leaders)])

    def set_minimum(self, topics: Iterable[str], replicas: int) -> None:
        """Set min.insync.replicas of the topics."""
        with self._admin() as admin:
            admin.alter_configs(
                [
                    ConfigResource(ConfigResourceType.TOPIC, topic, {"min.insync.replicas": str(replicas)})
                    for topic in topics
                ]
            )

    def primaries(self, alias: str) -> str:
        """The node of Elasticsearch that holds most primary shards of the alias."""
        shards = self._ask(f"_cat/shards/{alias}", h="prirep,node")
        # Of a shard that moves the answer names both nodes.
        nodes = Counter(shard["node"].split()[0] for shard in shards if shard["prirep"] == "p" and shard["node"])
        return self._node(nodes.most_common(1)[0][0])

    def master(self) -> str:
        return self._node(self._ask("_cat/master", h="node")[0]["node"])

    def wait_whole(self) -> None:
        """Wait until every replica of both clusters is in sync."""
        self.wait_in_sync()
        self.wait_green()

    def wait_in_sync(self) -> None:
        wait_for(self._in_sync, WHOLE_S, "all replicas in sync")

    def wait_green(self) -> None:
        wait_for(self._green, WHOLE_S, "a green Elasticsearch")

    def _in_sync(self) -> bool:
        with contextlib.suppress(KafkaError), self._admin() as admin:
            return all(
                len(partition["isr_nodes"]) == len(partition["replica_nodes"])
                for topic in admin.describe_topics()
                for partition in topic["partitions"]
            )
        return False

    def _green(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            health = self._ask("_cluster/health")
            return bool(health["status"] == "green" and health["number_of_nodes"] == len(self._stack.nodes))
        return False

    @contextlib.contextmanager
    def _admin(self) -> Iterator[Any]:
        admin = KafkaAdminClient(bootstrap_servers=self._stack.direct.bootstrap_servers, request_timeout_ms=10_000)
        try:
            yield admin
        finally:
            admin.close()

    def _broker(self, admin: Any, number: int) -> str:
        for broker in admin.describe_cluster()["brokers"]:
            if broker["broker_id"] == number:
                address = f"{broker['host']}:{broker['port']}"
                return next(name for name, known in self._stack.brokers.items() if known == address)
        raise LookupError(f"broker {number} is not in the cluster")

    def _node(self, name: str) -> str:
        found: Mapping[str, Any] = self._ask("_nodes/http")["nodes"]
        addresses = {node["name"]: node["http"]["publish_address"] for node in found.values()}
        port = addresses[name].rpartition(":")[2]
        return next(known for known, url in self._stack.nodes.items() if url.rstrip("/").endswith(f":{port}"))

    def _ask(self, path: str, **parameters: str) -> Any:
        """The answer of the first node that gives one."""
        failure: Exception | None = None
        for url in self._stack.nodes.values():
            try:
                return (
                    httpx.get(f"{url}/{path}", params={"format": "json", **parameters}, timeout=10)
                    .raise_for_status()
                    .json()
                )
            except httpx.HTTPError as error:
                failure = error
        assert failure is not None
        raise failure


def java_hash(text: str) -> int:
    """`String.hashCode` of Java, by which Kafka chooses the coordinator of a name."""
    value = 0
    for letter in text:
        value = (31 * value + ord(letter)) & 0xFFFFFFFF
    return value
