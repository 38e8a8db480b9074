"""The stack under faults: its addresses, and the faults that it supports.

TRIAGE_TEST_KAFKA and TRIAGE_TEST_ELASTICSEARCH   the addresses; without them the local stack is started
TRIAGE_TEST_STACK_CONTROL   a program called with `stop|start|pause|resume kafka|elasticsearch`; without it Kafka and
                            Elasticsearch are not killed or frozen
TRIAGE_TEST_KAFKA_PROXY     HOST:PORT=HOST:PORT, an address that a second listener of Kafka advertises and that
                            listener's own; the suite's proxy is between the two. Without it there are no such faults
"""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
from chaos.elastic import ElasticProxy
from chaos.proxy import TcpProxy

from triage.config import KafkaSettings
from triage.errors import Unavailable
from triage.local.stack import Endpoints, LocalStack
from triage.topics import wait_for_kafka

START_S, ANSWER_S = 300.0, 20.0


class Stack:
    """`direct` is for the generator and the auditor, `proxied` for the processes under test."""

    def __init__(
        self, direct: Endpoints, *, control: str | None = None, kafka_proxy: str | None = None, real: bool = True
    ) -> None:
        self.direct = direct
        self.real = real
        self._control = control
        self.elastic = ElasticProxy(direct.elasticsearch_url)
        self.elastic_net = TcpProxy(("127.0.0.1", self.elastic.port))
        self.kafka_net: TcpProxy | None = None
        bootstrap = direct.bootstrap_servers
        if kafka_proxy:
            bootstrap, _, target = kafka_proxy.partition("=")
            host, _, port = target.rpartition(":")
            self.kafka_net = TcpProxy((host, int(port)), int(bootstrap.rpartition(":")[2]))
        self.proxied = Endpoints(bootstrap, f"http://127.0.0.1:{self.elastic_net.port}")

    @property
    def can(self) -> SimpleNamespace:
        """True for each thing that faults may need and the stack supports."""
        return SimpleNamespace(
            control=self._control is not None, kafka_network=self.kafka_net is not None, expiry=self.real
        )

    def control(self, verb: str, what: str) -> None:
        """Call the control program. Raises CalledProcessError, and TimeoutError if a started service does not answer.

        On a busy machine a start takes longer than the program waits, and a broker may end during it: it is started
        again until it answers.
        """
        assert self._control is not None
        until = time.monotonic() + START_S
        while True:
            done = subprocess.run([self._control, verb, what], check=verb != "start", capture_output=True, timeout=300)
            if verb != "start" or self._answers(what):
                return
            if time.monotonic() > until:
                raise TimeoutError(f"{what} does not answer: {done.stderr.decode('utf-8', 'replace')[-2000:]}")

    def _answers(self, what: str) -> bool:
        try:
            if what == "kafka":
                wait_for_kafka(KafkaSettings(bootstrap_servers=self.direct.bootstrap_servers), timeout_s=ANSWER_S)
                return True
            return httpx.get(f"{self.direct.elasticsearch_url}/_cluster/health", timeout=ANSWER_S).is_success
        except (Unavailable, httpx.HTTPError):
            return False

    def heal(self) -> None:
        """Undo whatever a fault has left."""
        self.elastic.mode = None
        for net in filter(None, (self.elastic_net, self.kafka_net)):
            net.delay_s, net.stalled = 0.0, False
        if self._control:
            for what in ("kafka", "elasticsearch"):
                self.control("resume", what)
                self.control("start", what)

    def close(self) -> None:
        self.elastic_net.close()
        self.elastic.close()
        if self.kafka_net is not None:
            self.kafka_net.close()


@contextlib.contextmanager
def open_stack() -> Iterator[Stack]:
    """The stack of the environment, else a local one for the duration of the block."""
    kafka, elasticsearch = os.environ.get("TRIAGE_TEST_KAFKA"), os.environ.get("TRIAGE_TEST_ELASTICSEARCH")
    with contextlib.ExitStack() as ends:
        if kafka and elasticsearch:
            stack = Stack(
                Endpoints(kafka, elasticsearch),
                control=os.environ.get("TRIAGE_TEST_STACK_CONTROL"),
                kafka_proxy=os.environ.get("TRIAGE_TEST_KAFKA_PROXY"),
            )
        else:
            folder = ends.enter_context(tempfile.TemporaryDirectory(prefix="triage-faults-"))
            stack = Stack(ends.enter_context(LocalStack(Path(folder))), real=False)
        ends.callback(stack.close)
        yield stack
