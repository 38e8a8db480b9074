"""The faults of the suite."""

import contextlib
import random
import resource
import signal
from collections.abc import Callable, Sequence

from chaos.cluster_faults import CLUSTER_FAULTS
from chaos.elastic import INDEX_FAULTS
from chaos.fault import Fault, Scene
from chaos.proxy import TcpProxy
from chaos.record_faults import RECORD_FAULTS
from chaos.stack import Stack
from harness import wait_for
from kafka import KafkaProducer

from triage.topics.definitions import RAW_TOPICS


def _end(kind: str, number: signal.Signals) -> Callable[[Scene], bool]:
    def strike(scene: Scene) -> bool:
        role = scene.pick(kind)
        if role is None:
            return False
        old = scene.fleet.processes[role]
        old.send_signal(number)
        wait_for(lambda: scene.fleet.processes[role] is not old, 60, f"a new process of {role}")
        return True

    return strike


def _freeze_worker(scene: Scene) -> bool:
    """Freeze for longer than the session timeout: others take over, and the worker comes back as a zombie."""
    role = scene.pick()
    if role is None:
        return False
    process = scene.fleet.processes[role]
    process.send_signal(signal.SIGSTOP)
    scene.pause(7, 12)
    process.send_signal(signal.SIGCONT)
    return True


def _add_and_remove(scene: Scene) -> None:
    role = f"x{scene.rng.randrange(10**6)}"
    scene.fleet.add(role)
    scene.pause(6, 12)
    scene.fleet.remove(role)


def _kill(what: str) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        scene.stack.control("stop", what)
        scene.pause(0.2, 3)
        scene.stack.control("start", what)

    return strike


def _freeze(what: str, min_s: float, max_s: float) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        scene.stack.control("pause", what)
        scene.pause(min_s, max_s)
        scene.stack.control("resume", what)

    return strike


def _refuse(mode: str) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        scene.stack.refuse(mode)
        scene.pause(2, 7)
        scene.stack.refuse(None)

    return strike


def _leave_transaction_open(scene: Scene) -> None:
    """A producer begins a transaction on a partition of a raw topic and aborts it seconds later: all after it waits."""
    settings = scene.fleet.settings.kafka
    topic = settings.topic(scene.rng.choice(list(RAW_TOPICS.values())))
    producer = KafkaProducer(
        bootstrap_servers=settings.bootstrap_servers, transactional_id=f"open-{scene.rng.randrange(10**9)}"
    )
    try:
        producer.init_transactions()
        producer.begin_transaction()
        producer.send(topic, value=b'{"text": "never committed"}').get(30)
        scene.pause(3, 7)
        producer.abort_transaction()
    finally:
        producer.close()


def _network(which: str, kind: str) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        nets: list[TcpProxy] = getattr(scene.stack, which)
        if kind == "slow":
            delay_s = scene.rng.uniform(0.05, 0.4)
            for net in nets:
                net.delay_s = delay_s
            scene.pause(3, 7)
            for net in nets:
                net.delay_s = 0.0
        elif kind == "stall":
            for net in nets:
                net.stalled = True
            scene.pause(3, 9)
            for net in nets:
                net.stalled = False
        else:
            for _ in range(scene.rng.randint(1, 4)):
                for net in nets:
                    net.cut() if kind == "cut" else net.half_close()
                scene.pause(0.1, 1.5)

    return strike


def _jump_clock(scene: Scene) -> None:
    offset_ms = scene.rng.choice([-1, 1]) * int(scene.rng.uniform(60, 7200) * 1000)
    scene.fleet.clock_file.write_text(str(offset_ms))
    scene.pause(3, 6)
    scene.fleet.clock_file.write_text("0")


def _fill_disk(scene: Scene) -> None:
    """No file of a process can grow, as on a full disk, log files included."""
    limited = []
    for process in list(scene.fleet.processes.values()):
        with contextlib.suppress(ProcessLookupError):
            if process.poll() is None:
                _, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, hard))
                limited.append((process, hard))
    scene.pause(3, 6)
    for process, hard in limited:
        with contextlib.suppress(ProcessLookupError):
            if process.poll() is None:
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))


FAULTS = (
    Fault("worker SIGKILL", _end("worker", signal.SIGKILL)),
    Fault("worker SIGTERM", _end("worker", signal.SIGTERM)),
    Fault("worker frozen past its session", _freeze_worker, ("expiry",)),
    Fault("worker added and removed", _add_and_remove, ("expiry",)),
    Fault("alerter SIGKILL", _end("alerter", signal.SIGKILL)),
    Fault("alerter SIGTERM", _end("alerter", signal.SIGTERM)),
    Fault("Kafka killed", _kill("kafka"), ("control",)),
    Fault("Kafka frozen", _freeze("kafka", 2, 9), ("control",)),
    Fault("Kafka network slow", _network("kafka_nets", "slow"), ("kafka_network",)),
    Fault("Kafka network stalled", _network("kafka_nets", "stall"), ("kafka_network",)),
    Fault("Kafka connections cut", _network("kafka_nets", "cut"), ("kafka_network",)),
    Fault("Kafka connections half-closed", _network("kafka_nets", "half"), ("kafka_network",)),
    Fault("Elasticsearch killed", _kill("elasticsearch"), ("control",)),
    Fault("Elasticsearch frozen", _freeze("elasticsearch", 3, 14), ("control",)),
    Fault("Elasticsearch answers 429", _refuse("429")),
    Fault("Elasticsearch answers 503", _refuse("503")),
    Fault("Elasticsearch refuses items", _refuse("items")),
    Fault("Elasticsearch 503 after writing", _refuse("late")),
    *(Fault(f"Elasticsearch index {state}", _refuse(state)) for state in INDEX_FAULTS),
    Fault("open transaction", _leave_transaction_open, ("expiry",)),
    Fault("Elasticsearch network slow", _network("elastic_nets", "slow")),
    Fault("Elasticsearch network stalled", _network("elastic_nets", "stall")),
    Fault("Elasticsearch connections cut", _network("elastic_nets", "cut")),
    Fault("Elasticsearch connections half-closed", _network("elastic_nets", "half")),
    Fault("clock jump", _jump_clock),
    Fault("disk full", _fill_disk),
    *RECORD_FAULTS,
    *CLUSTER_FAULTS,
)


def possible(stack: Stack) -> tuple[list[Fault], list[Fault]]:
    """(faults that the stack supports, the others)."""
    can = stack.can
    supported = [fault for fault in FAULTS if all(getattr(can, need) for need in fault.needs)]
    return supported, [fault for fault in FAULTS if fault not in supported]


def schedule(faults: Sequence[Fault], count: int, rng: random.Random, gap_s: float) -> list[tuple[Fault, float]]:
    """`count` faults in random order, each once before any is repeated, with random pauses of `gap_s` on average."""
    drawn: list[Fault] = []
    while len(drawn) < count:
        drawn += rng.sample(faults, len(faults))
    return [(fault, rng.expovariate(1 / gap_s)) for fault in drawn[:count]]
