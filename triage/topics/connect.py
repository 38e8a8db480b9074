"""Connects to the brokers: bounded wait at start, admin client, translation of kafka-python's errors."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, TypeVar

from triage.clock import Clock, SystemClock
from triage.config import KafkaSettings
from triage.errors import AccessDenied, ConfigError, DependencyError, TriageError, Unavailable
from triage.logging import get_logger
from triage.retries.until_available import until_available

if TYPE_CHECKING:
    from triage.topics.kafka_types import Admin

_T = TypeVar("_T")
log = get_logger("triage.kafka")

_ATTEMPT_TIMEOUT_S = 10.0
_RETRY_INTERVAL_S = 0.5
_OTHER_PROTOCOL = ("disconnected", "Handshake", "frame length")


def translate(error: BaseException, *, doing: str = "") -> TriageError:
    """Return the triage error for an error of kafka-python (or an OSError that it passes on).

    It is Unavailable, unless the brokers' answer shows that a retry cannot help. `doing` says what was attempted, for
    the message.
    """
    if isinstance(error, TriageError):
        return error
    from triage.topics.kafka_compat import error_text

    text = error_text(error).rstrip(": ")
    message = f"{doing}: {text}" if doing else text
    if "CERTIFICATE_VERIFY_FAILED" in text:
        # kafka-python raises it as a connection error.
        return ConfigError(
            f"kafka: {message}; check kafka.ssl_cafile, and that the certificate names the broker's host"
        )
    for kinds, hint, make in _translations():
        if isinstance(error, kinds):
            return make(message + hint)
    return Unavailable("kafka", message)


@cache
def _translations() -> list[tuple[tuple[type[BaseException], ...], str, Callable[[str], TriageError]]]:
    """Return the translations: kafka-python's errors, a hint for the user, and a function that makes triage's error.

    The first entry that matches counts.
    """
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
        (
            (
                kafka.CoordinatorLoadInProgressError,
                kafka.CoordinatorNotAvailableError,
                kafka.NotCoordinatorError,
            ),
            "; no coordinator yet: the cluster is new, or another broker takes over",
            unavailable,
        ),
        ((ssl.SSLError,), "; check kafka.ssl_cafile, ssl_certfile and ssl_keyfile", wrong),
    ]


def wait_for_kafka(settings: KafkaSettings, *, clock: Clock | None = None, timeout_s: float | None = None) -> None:
    """Wait until a broker answers and accepts the login, at most `timeout_s` (default `start_timeout_s`) seconds.

    With a timeout of 0 each broker is asked once, and nothing is logged. After the timeout it raises Unavailable, with
    every address and its last error. It raises AccessDenied for a refused login, and ConfigError for wrong settings or
    a compression codec that is not installed, without waiting.
    """
    from triage.topics.codecs import require_codecs
    from triage.topics.kafka_compat import probe

    require_codecs()
    _check_files(settings)
    clock = clock or SystemClock()
    timeout_s = settings.start_timeout_s if timeout_s is None else timeout_s
    started = clock.monotonic()
    warned = False
    while True:
        left = timeout_s - (clock.monotonic() - started)
        failures = probe(settings, max(0.1, min(_ATTEMPT_TIMEOUT_S, left)) if timeout_s else _ATTEMPT_TIMEOUT_S)
        if not failures:
            return
        fatal = [error for error in map(translate, failures.values()) if not error.retriable]
        # One broker of several may be misconfigured; it is final only if all of them are.
        if len(fatal) == len(failures):
            raise fatal[0] from next(iter(failures.values()))
        left = timeout_s - (clock.monotonic() - started)
        if left <= _RETRY_INTERVAL_S:
            raise Unavailable("kafka", _unreachable(settings, failures, timeout_s))
        if not warned:
            log.warning("waiting_for_kafka", at_most_s=round(left, 1), brokers=_listed(failures))
            warned = True
        clock.sleep(_RETRY_INTERVAL_S)


@contextmanager
def admin_client(
    settings: KafkaSettings, *, clock: Clock | None = None, timeout_s: float | None = None
) -> Iterator["Admin"]:
    """Context manager that waits for the brokers and yields a Kafka admin client.

    Errors of kafka-python in the block are translated as by `translate`. Raises Unavailable if no broker answers within
    `timeout_s` (default `start_timeout_s`), AccessDenied for a refused login, ConfigError for wrong settings.
    """
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError

    wait_for_kafka(settings, clock=clock, timeout_s=timeout_s)
    try:
        admin: Admin = KafkaAdminClient(
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


def ask_brokers(settings: KafkaSettings, ask: "Callable[[Admin], _T]", *, clock: Clock | None = None) -> _T:
    """Return what `ask` returns for an admin client, asked again for `start_timeout_s` while brokers are unavailable.

    A cluster that answers `wait_for_kafka` may refuse the next request: another of its brokers is going down. Raises
    Unavailable after the timeout; AccessDenied and ConfigError at once.
    """
    clock = clock or SystemClock()

    def attempt(left_s: float) -> _T:
        with admin_client(settings, clock=clock, timeout_s=left_s) as admin:
            return ask(admin)

    return until_available(attempt, clock, settings.start_timeout_s)


def _check_files(settings: KafkaSettings) -> None:
    problems = [
        f"kafka.{name}: no such file: {path}"
        for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile", "oauth_cafile")
        if (path := getattr(settings, name)) is not None and not path.is_file()
    ]
    if problems:
        raise ConfigError(problems, where="settings")


def _unreachable(settings: KafkaSettings, failures: dict[str, Exception], timeout_s: float) -> str:
    hint = "is it running, and is kafka.bootstrap_servers (TRIAGE_KAFKA__BOOTSTRAP_SERVERS) right?"
    if any(sign in str(error) for error in failures.values() for sign in _OTHER_PROTOCOL):
        hint = (
            f"something answers but not in this protocol: does the listener want another kafka.security_protocol than "
            f"{settings.security_protocol}, or is it not Kafka?"
        )
    within = f" within {timeout_s:g} s" if timeout_s else ""
    return f"no broker answered{within}: {_listed(failures)}; {hint}"


def _listed(failures: dict[str, Exception]) -> str:
    from triage.topics.kafka_compat import error_text

    return ", ".join(f"{address} ({error_text(error)})" for address, error in failures.items())
