"""The stack under faults: its addresses, and the faults that it supports.

TRIAGE_TEST_KAFKA and TRIAGE_TEST_ELASTICSEARCH   the addresses; without them the local stack is started. Several of
                            each, comma-separated, are a cluster
TRIAGE_TEST_STACK_CONTROL   a program called with `stop|start|pause|resume kafka|elasticsearch`; without it Kafka and
                            Elasticsearch are not killed or frozen. Of a cluster it is called with `kafka-1`,
                            `elasticsearch-2` and so on, in the order of the addresses, and also with the verb `term`
TRIAGE_TEST_KAFKA_PROXY     HOST:PORT=HOST:PORT, an address that a second listener of Kafka advertises and that
                            listener's own; the suite's proxy is between the two. Without it there are no such faults.
                            Of a cluster: one for each broker, comma-separated
"""

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
    """`direct` is for the generator and the auditor, `proxied` for the processes under test.

    `brokers` and `nodes` map the names that the control program knows to the direct addresses. `elastics`,
    `elastic_nets` and `kafka_nets` are the proxies in the same order.
    """

    def __init__(
        self, direct: Endpoints, *, control: str | None = None, kafka_proxy: str | None = None, real: bool = True
    ) -> None:
        self.direct = direct
        self.real = real
        self._control = control
        self.brokers = _named("kafka", direct.bootstrap_servers)
        self.nodes = _named("elasticsearch", direct.elasticsearch_url)
        self.elastics = [ElasticProxy(url) for url in self.nodes.values()]
        self.elastic_nets = [TcpProxy(("127.0.0.1", proxy.port)) for proxy in self.elastics]
        self.kafka_nets: list[TcpProxy] = []
        bootstrap = direct.bootstrap_servers
        if kafka_proxy:
            pairs = [pair.split("=") for pair in kafka_proxy.split(",")]
            bootstrap = ",".join(advertised for advertised, _ in pairs)
            for advertised, target in pairs:
                host, _, port = target.rpartition(":")
                self.kafka_nets.append(TcpProxy((host, int(port)), int(advertised.rpartition(":")[2])))
        urls = ",".join(f"http://127.0.0.1:{net.port}" for net in self.elastic_nets)
        self.proxied = Endpoints(bootstrap, urls)

    @property
    def clustered(self) -> bool:
        return len(self.brokers) > 1 and len(self.nodes) > 1

    @property
    def can(self) -> SimpleNamespace:
        """True for each thing that faults may need and the stack supports."""
        return SimpleNamespace(
            control=self._control is not None and not self.clustered,
            cluster=self._control is not None and self.clustered,
            kafka_network=bool(self.kafka_nets),
            cluster_network=self._control is not None and self.clustered and bool(self.kafka_nets),
            expiry=self.real,
        )

    def control(self, verb: str, *names: str) -> None:
        """Call the control program for brokers and nodes at once.

        Raises CalledProcessError, and TimeoutError if a started one does not answer. They are started together because
        a broker that finds no majority of controllers ends, also one that has answered: it is started again.
        """
        left = list(names)
        while left:
            if len(left) == 1:
                self._call(verb, left[0])
            else:
                with ThreadPoolExecutor(len(left)) as pool:
                    list(pool.map(lambda name: self._call(verb, name), left))
            left = [name for name in left if not self._answers(name)] if verb == "start" and len(left) > 1 else []

    def _call(self, verb: str, name: str) -> None:
        """On a busy machine a start takes longer than the program waits, and a broker may end during it: it is started
        again until it answers."""
        assert self._control is not None
        until = time.monotonic() + START_S
        while True:
            done = subprocess.run([self._control, verb, name], check=verb != "start", capture_output=True, timeout=300)
            if verb != "start" or self._answers(name):
                return
            if time.monotonic() > until:
                raise TimeoutError(f"{name} does not answer: {done.stderr.decode('utf-8', 'replace')[-2000:]}")

    def _answers(self, name: str) -> bool:
        try:
            if name in self.brokers:
                wait_for_kafka(KafkaSettings(bootstrap_servers=self.brokers[name]), timeout_s=ANSWER_S)
                return True
            return httpx.get(f"{self.nodes[name]}/_cluster/health", timeout=ANSWER_S).is_success
        except (Unavailable, httpx.HTTPError):
            return False

    def refuse(self, mode: str | None) -> None:
        """Let Elasticsearch refuse requests as `ElasticProxy.mode` says; None ends it."""
        for proxy in self.elastics:
            proxy.mode = mode

    def heal(self) -> None:
        """Undo whatever a fault has left."""
        self.refuse(None)
        for net in self.elastic_nets + self.kafka_nets:
            net.delay_s, net.stalled = 0.0, False
        if self._control:
            everything: Iterable[str] = [*self.brokers, *self.nodes]
            self.control("resume", *everything)
            self.control("start", *everything)

    def close(self) -> None:
        for net in self.elastic_nets + self.kafka_nets:
            net.close()
        for proxy in self.elastics:
            proxy.close()


def _named(kind: str, addresses: str) -> dict[str, str]:
    """Names as the control program knows them, with their addresses."""
    found = [address.strip() for address in addresses.split(",")]
    return {f"{kind}-{number}" if len(found) > 1 else kind: address for number, address in enumerate(found, 1)}


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
