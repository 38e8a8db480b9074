"""Runs the console until it is told to stop."""

import signal
import socket

import uvicorn

from triage.config import Settings
from triage.console.app import build_app
from triage.console.data import ElasticReader
from triage.console.deadletters import DeadLetterCount
from triage.console.refresh import SharedSnapshot
from triage.elastic.client import connect
from triage.elastic.errors import translated
from triage.elastic.search import find_alert
from triage.errors import ConfigError
from triage.logging import get_logger
from triage.metrics import Metrics

log = get_logger("triage.console")

_QUERY_TIMEOUT_S = 10.0
_SHUTDOWN_S = 3


def serve(settings: Settings) -> None:
    """Serve page, health and metrics on `console.host:port`; ends on SIGINT and SIGTERM.

    It starts and stays up without Elasticsearch or Kafka. Raises ConfigError.
    """
    clock = settings.clock.build()
    metrics = Metrics()
    timeout_s = min(_QUERY_TIMEOUT_S, settings.elasticsearch.request_timeout_s)
    client = connect(settings.elasticsearch).options(request_timeout=timeout_s)
    dead_letters = DeadLetterCount(settings.kafka)
    simulated = settings.clock.origin is not None
    reader = ElasticReader(
        client, settings.elasticsearch, clock, metrics, lambda: dead_letters.total, simulated=simulated
    )

    def ping() -> None:
        with translated():
            client.cluster.health()

    shared = SharedSnapshot(reader, clock, simulated=simulated)
    app = build_app(shared, metrics, ping, lambda key: find_alert(client, settings.elasticsearch, key))
    listening = _listen(settings.console.host, settings.console.port)
    options = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_SHUTDOWN_S
    )
    # uvicorn raises the signal that stopped it once more when it is done; being told to stop is no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    dead_letters.start()
    host, port = listening.getsockname()[:2]
    log.info("console_started", url=f"http://{host}:{port}")
    try:
        uvicorn.Server(options).run(sockets=[listening])
    finally:
        dead_letters.stop()
        client.close()
    log.info("console_stopped")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(f"console.host, console.port: cannot listen on {host}:{port}: {error.strerror}") from error
