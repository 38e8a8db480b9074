"""Reaching the brokers: a bounded wait at start, the admin client, and kafka-python's errors as ours.

kafka-python 3.0 bootstraps in a loop that takes a refused password for one more failed attempt and ends with a
bare timeout; `wait_for_kafka` asks each broker itself, so that the reason reaches the reader, and at once.
"""

import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from triage.clock import Clock, SystemClock
from triage.config import KafkaSettings
from triage.errors import AccessDenied, ConfigError, DependencyError, TriageError, Unavailable
from triage.logging import get_logger

if TYPE_CHECKING:
    from kafka.admin import KafkaAdminClient

log = get_logger("triage.kafka")

_ATTEMPT_S = 10.0
_PAUSE_S = 0.5
_OTHER_PROTOCOL = ("disconnected", "Handshake", "frame length")


def translate(error: BaseException, *, doing: str = "") -> TriageError:
    """Our error for one of kafka-python's (or an OSError below it); `doing` says what was tried.

    Unavailable unless the brokers' answer makes clear that trying again cannot help.
    """
    if isinstance(error, TriageError):
        return error
    text = _describe(error)
    said = f"{doing}: {text}" if doing else text
    if "CERTIFICATE_VERIFY_FAILED" in text:
        # kafka-python tells of it as of a connection that failed.
        return ConfigError(f"kafka: {said}; check kafka.ssl_cafile, and that the certificate names the broker's host")
    for kinds, hint, make in _meanings():
        if isinstance(error, kinds):
            return make(said + hint)
    return Unavailable("kafka", said)


@cache
def _meanings() -> list[tuple[tuple[type[BaseException], ...], str, Callable[[str], TriageError]]]:
    """Kinds of errors, what to tell the reader, and ours; the first that fits counts."""
    from kafka import errors as kafka

    denied, unavailable = partial(AccessDenied, "kafka"), partial(Unavailable, "kafka")

    def wrong(text: str) -> TriageError:
        return ConfigError(f"kafka: {text}")

    return [
        (
            (kafka.SaslAuthenticationFailedError, kafka.UnsupportedSaslMechanismError),
            "; check kafka.sasl_mechanism, sasl_username and sasl_password, or oauth_client_id and oauth_scope",
            denied,
        ),
        (
            (kafka.IllegalSaslStateError,),
            "; the listener takes no SASL, but kafka.security_protocol asks for it",
            denied,
        ),
        ((kafka.AuthorizationError, kafka.SecurityDisabledError), "; the user lacks an ACL for it", denied),
        (
            (kafka.InvalidReplicationFactorError,),
            "; lower replication_factor for this environment in topics/topics.yaml, choose another kafka.environment, "
            "or add brokers",
            wrong,
        ),
        (
            (
                kafka.InvalidConfigurationError,
                kafka.InvalidTopicError,
                kafka.KafkaConfigurationError,
                kafka.PolicyViolationError,
            ),
            "",
            wrong,
        ),
        (
            (kafka.UnsupportedVersionError, kafka.MessageSizeTooLargeError),
            "",
            partial(DependencyError, "kafka"),
        ),
        (
            (kafka.UnknownTopicOrPartitionError,),
            "; if the topic does not exist yet, run: triage topics apply",
            unavailable,
        ),
        ((ssl.SSLError,), "; check kafka.ssl_cafile, ssl_certfile and ssl_keyfile", wrong),
    ]


def wait_for_kafka(settings: KafkaSettings, *, clock: Clock | None = None, timeout_s: float | None = None) -> None:
    """Block until one of the brokers answers and accepts us, at most `timeout_s` (default `start_timeout_s`).

    With 0 each is asked once, and without a word to the log. Raises AccessDenied or ConfigError at once, Unavailable
    with every address and its last error after the timeout.
    """
    _check_files(settings)
    clock = clock or SystemClock()
    timeout_s = settings.start_timeout_s if timeout_s is None else timeout_s
    started = clock.monotonic()
    warned = False
    while True:
        left = timeout_s - (clock.monotonic() - started)
        failures = _probe(settings, max(0.1, min(_ATTEMPT_S, left)) if timeout_s else _ATTEMPT_S)
        if not failures:
            return
        fatal = [error for error in map(translate, failures.values()) if not error.retriable]
        # One broker of several may be misconfigured or gone; only if none is left to wait for is it final.
        if len(fatal) == len(failures):
            raise fatal[0] from next(iter(failures.values()))
        left = timeout_s - (clock.monotonic() - started)
        if left <= _PAUSE_S:
            raise Unavailable("kafka", _unreachable(settings, failures, timeout_s))
        if not warned:
            log.warning("waiting_for_kafka", at_most_s=round(left, 1), brokers=_listed(failures))
            warned = True
        clock.sleep(_PAUSE_S)


@contextmanager
def admin_client(settings: KafkaSettings, *, clock: Clock | None = None) -> Iterator["KafkaAdminClient"]:
    """An admin client once the brokers answer; kafka-python's errors inside the block come out as ours.

    Raises what `wait_for_kafka` and `translate` do.
    """
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    wait_for_kafka(settings, clock=clock)
    try:
        admin = KafkaAdminClient(
            **settings.client(),
            client_id="triage-admin",
            request_timeout_ms=settings.request_timeout_ms,
            bootstrap_timeout_ms=min(settings.request_timeout_ms, round(settings.start_timeout_s * 1000)),
        )
        try:
            yield admin
        finally:
            admin.close()
    except KafkaError as error:
        raise translate(error) from error


def _probe(settings: KafkaSettings, timeout_s: float) -> dict[str, Exception]:
    """Connect, authenticate and ask for metadata; {} as soon as one broker answers, else each address's error."""
    from kafka.net.manager import KafkaConnectionManager
    from kafka.net.selector import NetworkSelector
    from kafka.protocol.metadata import MetadataRequest

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

        try:
            for broker in manager.cluster.bootstrap_brokers():
                try:
                    # kafka-python leaks the socket of a refused connection, and says less about it.
                    socket.create_connection((broker.host, broker.port), timeout_s).close()
                    manager.run(ask, broker.node_id)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is this address's reason
                    failures[f"{broker.host}:{broker.port}"] = error
                else:
                    return {}
        finally:
            # The connections must be closed on their own thread, before it ends.
            manager.run(_close(manager))
            loop.stop(timeout_ms=5_000)
            loop.close()
    return failures


def _check_files(settings: KafkaSettings) -> None:
    problems = [
        f"kafka.{name}: no such file: {path}"
        for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "oauth_cafile")
        if (path := getattr(settings, name)) is not None and not path.is_file()
    ]
    if problems:
        raise ConfigError(problems, where="settings")


def _close(manager: Any) -> Any:
    async def close() -> None:
        manager.close()

    return close


class _Quiet:
    """kafka-python logs failed attempts as errors; here failure is an answer. Several threads may probe at once."""

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


_quiet = _Quiet()


def _unreachable(settings: KafkaSettings, failures: dict[str, Exception], timeout_s: float) -> str:
    hint = "is it running, and is kafka.bootstrap_servers (TRIAGE_KAFKA__BOOTSTRAP_SERVERS) right?"
    if any(sign in str(error) for error in failures.values() for sign in _OTHER_PROTOCOL):
        hint = (
            f"something answers but not in this protocol: does the listener want another kafka.security_protocol than "
            f"{settings.security_protocol}, or is it no Kafka?"
        )
    within = f" within {timeout_s:g} s" if timeout_s else ""
    return f"no broker answered{within}: {_listed(failures)}; {hint}"


def _listed(failures: dict[str, Exception]) -> str:
    return ", ".join(f"{address} ({_describe(error)})" for address, error in failures.items())


def _describe(error: BaseException) -> str:
    text = str(error).strip()
    name = type(error).__name__
    # kafka-python writes "[Error 58] SaslAuthenticationFailedError: SaslAuthenticationFailedError: reason".
    while True:
        shorter = text.removeprefix(f"{name}:").strip()
        if shorter.startswith("[Error ") and "] " in shorter:
            shorter = shorter.partition("] ")[2]
        if shorter == text:
            return text or name
        text = shorter
