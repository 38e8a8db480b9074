"""What cannot be reached or entered is said so, with the address, in bounded time."""

import socket
import ssl
import struct
import threading
import time
from contextlib import contextmanager

import pytest
from kafka import errors as kafka

from triage.alerting.app.topology import read_topology
from triage.clock import ManualClock
from triage.config import KafkaSettings
from triage.errors import AccessDenied, ConfigError, DependencyError, Fenced, Unavailable
from triage.topics import admin_client, require_topics, translate, wait_for_kafka


def _refusing_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def _server(handle):
    """A TCP server on a free port; each connection goes to `handle(connection)` on a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=_run, args=(connection,), daemon=True)
            thread.start()
            threads.append(thread)

    def _run(connection):
        with connection:
            try:
                handle(connection)
            except OSError:
                return

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        server.join(timeout=5)
        for thread in threads:
            thread.join(timeout=5)


def _frames(connection):
    """(api key, version, correlation id) of each request."""
    stream = connection.makefile("rb")
    while len(size := stream.read(4)) == 4:
        yield struct.unpack(">hhi", stream.read(struct.unpack(">i", size)[0])[:8])


def _text(value):
    return struct.pack(">h", len(value)) + value.encode()


def _refuses_passwords(mechanisms=("PLAIN",)):
    """The part of Kafka's protocol that a wrong password meets."""
    apis = {3: 8, 17: 1, 18: 3, 36: 1}

    def handle(connection):
        for key, _version, correlation in _frames(connection):
            if key == 18:
                rows = b"".join(struct.pack(">hhhb", api, 0, highest, 0) for api, highest in apis.items())
                body = struct.pack(">hb", 0, len(apis) + 1) + rows + struct.pack(">ib", 0, 0)
            elif key == 17:
                body = struct.pack(">hi", 0, len(mechanisms)) + b"".join(map(_text, mechanisms))
            else:
                body = struct.pack(">h", 58) + _text("Invalid username or password") + struct.pack(">iq", 0, 0)
            frame = struct.pack(">i", correlation) + body
            connection.sendall(struct.pack(">i", len(frame)) + frame)

    return handle


def _sasl(address, mechanism="PLAIN"):
    return KafkaSettings(
        bootstrap_servers=address,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=mechanism,
        sasl_username="triage",
        sasl_password="guessed",
        start_timeout_s=120,
    )


def test_no_broker_is_said_with_address_and_hint_in_bounded_time():
    address = f"127.0.0.1:{_refusing_port()}"
    started = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        wait_for_kafka(KafkaSettings(bootstrap_servers=f"{address},nosuch.invalid:9092", start_timeout_s=1))
    assert time.monotonic() - started < 60
    message = str(caught.value)
    assert f"{address} (Connection refused)" in message
    assert "nosuch.invalid:9092 (" in message
    assert "is it running" in message
    assert "TRIAGE_KAFKA__BOOTSTRAP_SERVERS" in message


def test_a_server_that_never_answers_does_not_hold_us():
    release = threading.Event()
    with _server(lambda connection: release.wait(120)) as address:
        started = time.monotonic()
        with pytest.raises(Unavailable, match="timed out"):
            wait_for_kafka(KafkaSettings(bootstrap_servers=address, start_timeout_s=1))
        assert time.monotonic() - started < 60
        release.set()


def test_something_that_is_no_kafka_is_suspected():
    def http(connection):
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with _server(http) as address, pytest.raises(Unavailable, match="is it not Kafka"):
        # Once, and with time for its answer.
        wait_for_kafka(KafkaSettings(bootstrap_servers=address), timeout_s=0)


def test_a_wrong_password_ends_the_wait_at_once():
    with _server(_refuses_passwords()) as address:
        started = time.monotonic()
        with pytest.raises(AccessDenied, match=r"Invalid username or password; check kafka\.sasl_mechanism"):
            wait_for_kafka(_sasl(address))
        assert time.monotonic() - started < 60
        with pytest.raises(AccessDenied), admin_client(_sasl(address)):
            pytest.fail("must not be reached")


def test_a_mechanism_the_broker_does_not_have_is_denied():
    with (
        _server(_refuses_passwords()) as address,
        pytest.raises(AccessDenied, match=r"does not support SCRAM-SHA-256.*PLAIN"),
    ):
        wait_for_kafka(_sasl(address, "SCRAM-SHA-256"))


def test_missing_certificates_are_config_errors(tmp_path):
    settings = KafkaSettings(
        security_protocol="SSL", ssl_cafile=tmp_path / "ca.pem", ssl_keyfile=tmp_path / "key.pem", start_timeout_s=1
    )
    with pytest.raises(ConfigError) as caught:
        wait_for_kafka(settings)
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["kafka.ssl_cafile", "kafka.ssl_keyfile"]


def test_a_damaged_certificate_is_a_config_error():
    assert type(translate(ssl.SSLError("no certificate or crl found"))) is ConfigError


@pytest.mark.stack
def test_one_good_broker_of_several_is_enough(stack):
    servers = f"127.0.0.1:{_refusing_port()},{stack.bootstrap_servers}"
    wait_for_kafka(KafkaSettings(bootstrap_servers=servers, start_timeout_s=10))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (kafka.SaslAuthenticationFailedError("no"), AccessDenied, "sasl_password"),
        (kafka.TopicAuthorizationFailedError("feedback.x"), AccessDenied, "ACL"),
        (kafka.IllegalSaslStateError(), AccessDenied, "takes no SASL"),
        (kafka.InvalidReplicationFactorError("3 > 1"), ConfigError, "lower replication_factor"),
        (kafka.InvalidConfigurationError("bad"), ConfigError, "bad"),
        (kafka.UnsupportedVersionError("old"), DependencyError, "old"),
        (kafka.UnknownTopicOrPartitionError("x"), Unavailable, "triage topics apply"),
        (kafka.NotEnoughReplicasError("x"), Unavailable, "x"),
        (kafka.CoordinatorNotAvailableError("GROUP/x: "), Unavailable, "GROUP/x; no coordinator yet"),
        (kafka.KafkaTimeoutError(), Unavailable, "KafkaTimeoutError"),
        (ConnectionResetError("gone"), Unavailable, "gone"),
        (Fenced("mine"), Fenced, "mine"),
    ],
)
def test_errors_of_the_client_become_ours(error, kind, said):
    translated = translate(error, doing="testing")
    assert type(translated) is kind
    assert said in str(translated)
    assert translated.retriable == (kind in {Unavailable, Fenced})


def test_the_brokers_words_are_shown_without_the_clients_prefixes():
    error = kafka.SaslAuthenticationFailedError("SaslAuthenticationFailedError: wrong")
    assert str(translate(error)).startswith("kafka: wrong;")


class _Admin:
    """An admin client of a cluster whose brokers refuse the first requests."""

    refusals = ()
    made = 0

    def __init__(self, **_):
        _Admin.made += 1
        self._error = self.refusals[self.made - 1] if self.made <= len(self.refusals) else None

    def describe_topics(self, names):
        if self._error is not None:
            raise self._error
        return [{"name": name, "error_code": 0, "partitions": [{"replica_nodes": [1]}]} for name in names]

    def describe_configs(self, resources, config_filter):
        return {"topic": {}}

    def close(self):
        pass


@pytest.fixture
def refusing(monkeypatch):
    """Set the errors of the first requests; brokers that are only asked if they are there say yes."""

    def refuse(*errors):
        monkeypatch.setattr(_Admin, "refusals", errors)
        monkeypatch.setattr(_Admin, "made", 0)

    monkeypatch.setattr("kafka.admin.KafkaAdminClient", _Admin)
    monkeypatch.setattr("triage.topics.connect.wait_for_kafka", lambda *_, **__: None)
    return refuse


GOES_DOWN = (
    kafka.KafkaConnectionError("node 2 was disconnected"),
    kafka.NodeNotReadyError(),
    kafka.KafkaTimeoutError(),
)


def test_a_start_while_one_broker_of_several_goes_down_waits(refusing):
    refusing(*GOES_DOWN)
    clock = ManualClock()
    assert require_topics(KafkaSettings(start_timeout_s=60), ["alerts"], clock=clock) == {"alerts": 1_048_588}
    assert _Admin.made == 4
    refusing(*GOES_DOWN)
    topology = read_topology(KafkaSettings(start_timeout_s=60), ["review"], clock)
    assert (topology.partitions, topology.replicas) == (1, 1)


def test_but_no_longer_than_the_timeout_and_not_for_a_missing_right(refusing):
    clock = ManualClock()
    refusing(*[kafka.NodeNotReadyError()] * 1000)
    with pytest.raises(Unavailable):
        require_topics(KafkaSettings(start_timeout_s=5), ["alerts"], clock=clock)
    assert 4.5 <= clock.monotonic() <= 5
    refusing(kafka.ClusterAuthorizationFailedError())
    with pytest.raises(AccessDenied):
        require_topics(KafkaSettings(start_timeout_s=5), ["alerts"], clock=clock)
    assert _Admin.made == 1
