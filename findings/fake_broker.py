"""A small Kafka broker for findings about clients: it speaks the real protocol and gives scripted answers.

Messages are encoded and decoded by the schemas that kafka-python ships, which are those of Apache Kafka.
"""  # noqa: INP001 - scripts in this folder import it by PYTHONPATH

import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, Self

import kafka.protocol.admin
import kafka.protocol.consumer
import kafka.protocol.metadata
import kafka.protocol.producer
import kafka.protocol.sasl

# The highest version of each request that this broker offers; most are from before the flexible encodings.
VERSIONS = {
    "Produce": 7,
    "Fetch": 11,
    "ListOffsets": 5,
    "Metadata": 8,
    "OffsetFetch": 5,
    "FindCoordinator": 2,
    "JoinGroup": 5,
    "Heartbeat": 3,
    "LeaveGroup": 2,
    "SyncGroup": 3,
    "SaslHandshake": 1,
    "ApiVersions": 2,
    "InitProducerId": 1,
    "AddPartitionsToTxn": 1,
    "EndTxn": 1,
    "DescribeConfigs": 2,
    "SaslAuthenticate": 1,
}
_MODULES = (
    kafka.protocol.admin,
    kafka.protocol.consumer,
    kafka.protocol.metadata,
    kafka.protocol.producer,
    kafka.protocol.sasl,
)
_UNSUPPORTED_VERSION, _LEADER_NOT_AVAILABLE, _MEMBER_ID_REQUIRED = 35, 5, 79


def _message(name: str) -> Any:
    return next(getattr(module, name) for module in _MODULES if hasattr(module, name))


_REQUESTS = {name: _message(f"{name}Request") for name in VERSIONS}
_RESPONSES = {name: _message(f"{name}Response") for name in VERSIONS}
_NAMES = {request.API_KEY: name for name, request in _REQUESTS.items()}

Answer = Callable[[Any], dict[str, Any]]
"""The fields of a response, nested structures as dicts, for a request; fields left out get their defaults."""


class FakeBroker:
    """One broker on 127.0.0.1 with `topics` (name to number of partitions), as a context manager.

    `answers` replace the default answers, by the request's name: `Fetch=lambda request: {...}`. Partitions in
    `leaderless` have no leader. A group has one member, which is its leader and owns all partitions from offset 0.
    """

    def __init__(self, topics: dict[str, int], **answers: Answer) -> None:
        self.topics = topics
        self.leaderless: set[tuple[str, int]] = set()
        self.generation = 0
        self._seen: list[tuple[str, Any]] = []
        self._answers: dict[str, Answer] = {
            "ApiVersions": _api_versions,
            "Metadata": self._metadata,
            "FindCoordinator": lambda _: self._node(),
            "InitProducerId": lambda _: {"producer_id": 1, "producer_epoch": 0},
            "AddPartitionsToTxn": _add_partitions,
            "Fetch": _no_records,
            "ListOffsets": _list_offsets,
            "OffsetFetch": _offset_fetch,
            "JoinGroup": self.join,
            "SyncGroup": lambda request: {"assignment": request.assignments[0].assignment},
        } | answers
        self._server = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._server.getsockname()[1])
        self.address = f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def requests(self, name: str) -> list[Any]:
        """The requests of a name so far, in order."""
        return [request for seen, request in list(self._seen) if seen == name]

    def join(self, request: Any) -> dict[str, Any]:
        """The default answer to JoinGroup: a member id at first, then a new generation."""
        if not request.member_id:
            number = len([each for each in self.requests("JoinGroup") if not each.member_id])
            return {"error_code": _MEMBER_ID_REQUIRED, "member_id": f"member-{number}"}
        self.generation += 1
        protocol = request.protocols[0]
        return {
            "generation_id": self.generation,
            "protocol_name": protocol.name,
            "leader": request.member_id,
            "member_id": request.member_id,
            "members": [{"member_id": request.member_id, "metadata": protocol.metadata}],
        }

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while len(size := stream.read(4)) == 4:
                    connection.sendall(self._answer(stream.read(*struct.unpack(">i", size))))
            except OSError:
                return

    def _answer(self, frame: bytes) -> bytes:
        key, version, correlation = struct.unpack(">hhi", frame[:8])
        name = _NAMES[key]
        fields: dict[str, Any] = {"error_code": _UNSUPPORTED_VERSION} | _api_versions(None)
        if version <= VERSIONS[name]:
            request = _REQUESTS[name].decode(frame, version=version, header=True)
            self._seen.append((name, request))
            fields = self._answers.get(name, lambda _: {})(request)
        else:
            # Only ApiVersions is asked for in a version that was not offered.
            version = 0
        response = _filled(_RESPONSES[name], fields, version)
        response.with_header(correlation)
        encoded: bytes = response.encode(header=True, framed=True)
        return encoded

    def _node(self) -> dict[str, Any]:
        return {"node_id": 0, "host": "127.0.0.1", "port": self._port}

    def _metadata(self, _: Any) -> dict[str, Any]:
        def partition(topic: str, number: int) -> dict[str, Any]:
            led = (topic, number) not in self.leaderless
            return {
                "partition_index": number,
                "leader_id": 0 if led else -1,
                "error_code": 0 if led else _LEADER_NOT_AVAILABLE,
                "replica_nodes": [0],
                "isr_nodes": [0],
            }

        topics = [
            {"name": topic, "partitions": [partition(topic, number) for number in range(count)]}
            for topic, count in self.topics.items()
        ]
        return {"brokers": [self._node()], "controller_id": 0, "cluster_id": "fake", "topics": topics}


def _api_versions(_: Any) -> dict[str, Any]:
    versions = [
        {"api_key": request.API_KEY, "min_version": 0, "max_version": VERSIONS[name]}
        for name, request in _REQUESTS.items()
    ]
    return {"api_keys": versions}


def _add_partitions(request: Any) -> dict[str, Any]:
    topics = [
        {"name": topic.name, "results_by_partition": [{"partition_index": number} for number in topic.partitions]}
        for topic in request.v3_and_below_topics
    ]
    return {"results_by_topic_v3_and_below": topics}


def _no_records(_: Any) -> dict[str, Any]:
    time.sleep(0.1)
    return {}


def _list_offsets(request: Any) -> dict[str, Any]:
    def partition(asked: Any) -> dict[str, Any]:
        return {"partition_index": asked.partition_index, "offset": 0 if asked.timestamp == -2 else 100}

    topics = [{"name": topic.name, "partitions": list(map(partition, topic.partitions))} for topic in request.topics]
    return {"topics": topics}


def _offset_fetch(request: Any) -> dict[str, Any]:
    def partition(number: int) -> dict[str, Any]:
        return {"partition_index": number, "committed_offset": 0, "metadata": ""}

    topics = [
        {"name": topic.name, "partitions": list(map(partition, topic.partition_indexes))} for topic in request.topics
    ]
    return {"topics": topics}


def _filled(kind: Any, fields: dict[str, Any], version: int) -> Any:
    """A message or structure of `kind` with these fields."""
    values = dict(fields)
    for name, value in fields.items():
        field = kind.fields[name]
        if field.is_struct_array():
            values[name] = [_filled(field, each, version) for each in value]
        elif field.is_struct():
            values[name] = _filled(field, value, version)
    return kind(version=version, **values)
