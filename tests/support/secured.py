"""Servers with the security of production: a Kafka with TLS and SASL, an Elasticsearch with TLS and a key."""

import base64
import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from triage.local.stack import free_port

PASSWORD = "pa ss&word=1"
CLIENT_SECRET = "client-secret"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throwaway CA, and PEM files made with it."""
    folder = tmp_path_factory.mktemp("pki")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other-ca.pem"))
    for name, identity in (
        ("server", "127.0.0.1"),
        ("elsewhere", "elsewhere.example"),
        ("client", "triage@example.org"),
    ):
        issued = ca.issue_cert(identity)
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        # Java reads only PKCS #8.
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        (folder / f"{name}.pem").write_bytes(pem + chain)
        (folder / f"{name}-cert.pem").write_bytes(chain)
        locked = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"lock"),
        )
        (folder / f"{name}-locked-key.pem").write_bytes(locked)
    return folder


@pytest.fixture(scope="session")
def token_endpoint() -> Iterator[tuple[str, list[bool]]]:
    """Exchanges client credentials for unsigned JWTs, which a test Kafka accepts."""
    issued: list[bool] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            given = base64.b64decode(self.headers["Authorization"].split()[1]).decode()
            good = given == f"triage:{CLIENT_SECRET}"
            body = json.dumps(
                {"access_token": _unsigned_jwt(), "expires_in": 300} if good else {"error": "invalid_client"}
            ).encode()
            issued.append(good)
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token", issued
    server.shutdown()
    server.server_close()
    thread.join()


def _unsigned_jwt() -> str:
    def part(fields: Mapping[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()

    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': 'triage', 'iat': now, 'exp': now + 300, 'scope': 'kafka'})}."


@pytest.fixture(scope="session")
def secured_kafka(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Ports of a real broker by listener: SASL_SSL (every mechanism) and SSL (requires a client certificate)."""
    home, java = os.environ.get("TRIAGE_TEST_KAFKA_HOME"), shutil.which("java")
    if not home or not java:
        pytest.skip("TRIAGE_TEST_KAFKA_HOME does not name a folder with lib/*.jar of Kafka, or Java is missing")
    folder = tmp_path_factory.mktemp("kafka")
    ports = {name: free_port() for name in ("SASL_SSL", "SSL", "PLAINTEXT", "CONTROLLER")}
    (folder / "server.properties").write_text(_properties(folder, authority, ports))
    classpath = str(Path(home) / "lib" / "*")
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    scram = [f"--add-scram=SCRAM-SHA-{bits}=[name=triage,password={PASSWORD}]" for bits in (256, 512)]
    subprocess.run(
        [java, *quick, "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", "dGhlLWNsdXN0ZXItaWQtMQ",
         "-c", folder / "server.properties", *scram],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    with (folder / "broker.log").open("wb") as log:
        broker = subprocess.Popen(
            [java, "-Xmx512m", *quick, "-Dlog4j2.level=INFO", "-cp", classpath, "kafka.Kafka", "server.properties"],
            cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        _wait_until_started(broker, ports["SASL_SSL"], folder / "broker.log")
        yield ports
    finally:
        broker.kill()
        broker.wait()


def _properties(folder: Path, authority: Path, ports: Mapping[str, int]) -> str:
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
    listeners = ",".join(f"{name}://127.0.0.1:{port}" for name, port in ports.items())
    lines: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{ports['CONTROLLER']}",
        "listeners": listeners,
        "advertised.listeners": ",".join(each for each in listeners.split(",") if "CONTROLLER" not in each),
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,SSL:SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": folder / "data",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": authority / "server.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": authority / "ca.pem",
        "listener.name.ssl.ssl.client.auth": "required",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{plain} required user_triage="{PASSWORD}";',
        "listener.name.sasl_ssl.oauthbearer.sasl.jaas.config": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            'unsecuredLoginStringClaim_sub="broker";'
        ),
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        "auto.create.topics.enable": "false",
    }
    for bits in (256, 512):
        lines[f"listener.name.sasl_ssl.scram-sha-{bits}.sasl.jaas.config"] = (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        )
    return "".join(f"{name}={value}\n" for name, value in lines.items())


def _wait_until_started(broker: subprocess.Popen[bytes], port: int, log: Path, timeout_s: float = 90) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and broker.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.2)
    pytest.fail(f"Kafka did not start:\n{log.read_text('utf-8', 'replace')[-3000:]}")


class SecuredElasticsearch:
    """Cluster health of Elasticsearch over TLS, for requests with the key; optionally requires a client certificate."""

    API_KEY = "aWQ6a2V5LW9mLXRyaWFnZQ=="

    def __init__(self, authority: Path, certificate: str = "server", *, wants_client: bool = False) -> None:
        self.seen: list[tuple[str, Any]] = []
        elastic = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                given = self.headers.get("Authorization", "")
                assert isinstance(self.connection, ssl.SSLSocket)
                elastic.seen.append((given, self.connection.getpeercert()))
                basic = "Basic " + base64.b64encode(b"triage:secret").decode()
                good = given in {f"ApiKey {elastic.API_KEY}", basic}
                body: dict[str, object] = (
                    {"status": "green", "number_of_data_nodes": 1}
                    if good
                    else {"error": {"type": "security_exception", "reason": "missing authentication credentials"}}
                )
                payload = json.dumps(body).encode()
                self.send_response(200 if good else 401)
                self.send_header("x-elastic-product", "Elasticsearch")
                self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=9")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """Some tests expect a refused handshake."""

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority / "ca.pem")
        context.load_cert_chain(authority / f"{certificate}.pem")
        context.verify_mode = ssl.CERT_REQUIRED if wants_client else ssl.CERT_NONE
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def secured_elasticsearch(authority: Path) -> Iterator[SecuredElasticsearch]:
    with SecuredElasticsearch(authority) as server:
        yield server
