"""Connections to brokers that do not answer: clients that are closed, and a probe that says why."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector
from kafka.protocol.metadata import MetadataRequest

from triage.config import KafkaSettings
from triage.topics.kafka_compat.records import read_any_header_names


@contextmanager
def closing_on_failure(kind: type[KafkaNetClient] = KafkaNetClient) -> Iterator[Callable[..., KafkaNetClient]]:
    """Context manager that closes the network client of a consumer or producer if its construction fails.

    Pass the value of the `with` block as `kafka_client` to the consumer or producer that is constructed in it. The
    client is of class `kind`.

    The library starts a thread and opens sockets before it contacts a broker, and leaves them open if none answers: a
    worker that waits for a broker would accumulate them with each attempt. Remove when
    `test_the_library_leaves_a_thread_behind` fails.
    """
    read_any_header_names()
    try_each_address()
    made: list[KafkaNetClient] = []

    def client(**configs: Any) -> KafkaNetClient:
        made.append(kind(**configs))
        return made[-1]

    try:
        yield client
    except BaseException:
        for each in made:
            with suppress(Exception):
                each.close()
        raise


def _get_connection_in_time(
    manager: KafkaConnectionManager, node_id: Any, timeout_ms: float | None = None, **options: Any
) -> Any:
    if timeout_ms is not None:
        timeout_ms = min(timeout_ms, manager.socket_connection_setup_timeout_ms(node_id))
    return _get_connection(manager, node_id, timeout_ms=timeout_ms, **options)


_get_connection = KafkaConnectionManager.get_connection


def try_each_address() -> None:
    """Let all clients of this process give up an address that does not answer, and try the next one.

    A frozen broker accepts connections and answers nothing. A client that starts chooses an address at random, and the
    library lets the connection to it take the whole `bootstrap_timeout_ms`: with one frozen broker of three, every
    third start of a client fails. Here it may take `socket_connection_setup_timeout_ms`, as all later connections.
    Remove when `test_the_library_spends_the_whole_start_on_a_frozen_broker` fails.
    """
    KafkaConnectionManager.get_connection = _get_connection_in_time


def probe(settings: KafkaSettings, timeout_s: float) -> dict[str, Exception]:
    """Connect to the brokers in turn, authenticate and ask for metadata.

    Returns {} as soon as one answers, else the error of each address. The library itself retries after a refused
    password until its timeout, and then raises only that timeout. Remove when a client's constructor raises
    SaslAuthenticationFailedError at once.
    """
    try_each_address()
    timeout_ms = round(timeout_s * 1000)
    failures: dict[str, Exception] = {}
    with _quiet:
        loop = NetworkSelector(client_id="triage-probe")
        manager = KafkaConnectionManager(
            loop, **settings.client(), request_timeout_ms=timeout_ms, client_id="triage-probe"
        )
        loop.start()

        async def ask(node: str) -> None:
            connection = manager.get_connection(node, timeout_ms=timeout_ms, refresh_metadata_on_err=False)
            await manager.wait_for(connection.init_future, timeout_ms)
            await connection.send_request(MetadataRequest(topics=[], max_version=12))

        async def close() -> None:
            manager.close()

        try:
            for broker in manager.cluster.bootstrap_brokers():
                try:
                    # The library leaks the socket of a refused connection, and gives a poorer reason.
                    socket.create_connection((broker.host, broker.port), timeout_s).close()
                    manager.run(ask, broker.node_id)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason for this address
                    failures[f"{broker.host}:{broker.port}"] = error
                else:
                    return {}
        finally:
            # The connections must be closed on their own thread, before it ends.
            manager.run(close())
            loop.stop(timeout_ms=5_000)
            loop.close()
    return failures


class _QuietLogs:
    """Context manager that turns off kafka-python's log, which reports failed attempts as errors. Reentrant.

    For `probe`, a failed attempt is an expected answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._level = logging.NOTSET

    def __enter__(self) -> None:
        logger = logging.getLogger("kafka")
        with self._lock:
            if not self._inside:
                self._level = logger.level
                logger.setLevel(logging.CRITICAL + 1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                logging.getLogger("kafka").setLevel(self._level)


_quiet = _QuietLogs()
