"""The faults that only clusters have."""

import contextlib
from collections.abc import Callable

import httpx
from chaos.fault import Fault, Scene
from harness import RAW, wait_for
from kafka.errors import KafkaError

OUTPUTS = ("enriched", "window-counts", "dead-letter")

_Victim = Callable[[Scene], str]

# A fault may strike while the cluster still recovers from the one before, and can't say who leads.
_ANSWER_S = 120.0


def _leader(scene: Scene) -> str:
    return scene.cluster.leader(map(scene.fleet.settings.kafka.topic, (*RAW, *OUTPUTS)))


def _controller(scene: Scene) -> str:
    return scene.cluster.controller()


def _group_coordinator(scene: Scene) -> str:
    return scene.cluster.group_coordinator(scene.fleet.settings.worker.group)


def _transaction_coordinator(scene: Scene) -> str:
    role = scene.rng.choice(scene.fleet.running("worker") or ["a"])
    return scene.cluster.transaction_coordinator(f"{scene.fleet.settings.worker.fleet}-{role}")


def _primaries(scene: Scene) -> str:
    return scene.cluster.primaries(scene.fleet.prefix)


def _master(scene: Scene) -> str:
    return scene.cluster.master()


def _any_broker(scene: Scene) -> str:
    return scene.rng.choice(list(scene.stack.brokers))


def _any_node(scene: Scene) -> str:
    return scene.rng.choice(list(scene.stack.nodes))


def _find(scene: Scene, victim: _Victim) -> str:
    def ask() -> str | None:
        with contextlib.suppress(KafkaError, httpx.HTTPError, LookupError):
            return victim(scene)
        return None

    found = wait_for(ask, _ANSWER_S, "a cluster that knows its leaders")
    assert found is not None
    return found


def _kill(*victims: _Victim) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        names = [_find(scene, victim) for victim in victims]
        scene.stack.control("stop", *names)
        scene.pause(1, 8)
        scene.stack.control("start", *names)

    return strike


def _freeze(victim: _Victim, min_s: float, max_s: float) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        name = _find(scene, victim)
        scene.stack.control("pause", name)
        scene.pause(min_s, max_s)
        scene.stack.control("resume", name)

    return strike


def _kill_two_brokers(scene: Scene) -> None:
    """Two of three brokers: neither the controllers nor any partition has a majority."""
    names = scene.rng.sample(list(scene.stack.brokers), 2)
    scene.stack.control("stop", *names)
    scene.pause(1, 8)
    scene.stack.control("start", *names)


def _below_minimum(scene: Scene) -> None:
    """One broker is gone and every partition needs all three: sends are refused, though the cluster has leaders."""
    topics = [scene.fleet.settings.kafka.topic(name) for name in OUTPUTS + scene.rng.choice([(), RAW])]
    name = _any_broker(scene)
    scene.cluster.set_minimum(topics, 3)
    scene.stack.control("stop", name)
    # Longer than the fleet's request timeout.
    scene.pause(5, 20)
    scene.cluster.set_minimum(topics, 2)
    scene.stack.control("start", name)


def _restart_each(kind: str) -> Callable[[Scene], None]:
    def strike(scene: Scene) -> None:
        names, wait = (
            (scene.stack.brokers, scene.cluster.wait_in_sync)
            if kind == "kafka"
            else (scene.stack.nodes, scene.cluster.wait_green)
        )
        for name in names:
            scene.stack.control("term", name)
            scene.stack.control("start", name)
            wait()

    return strike


def _unreachable(kind: str) -> Callable[[Scene], None]:
    """Workers and alerter don't reach one server, which is well and in its cluster."""

    def strike(scene: Scene) -> None:
        names, nets, victim = (
            (scene.stack.brokers, scene.stack.kafka_nets, _leader)
            if kind == "kafka"
            else (scene.stack.nodes, scene.stack.elastic_nets, _primaries)
        )
        net = nets[list(names).index(_find(scene, victim))]
        net.stalled = True
        scene.pause(3, 20)
        net.stalled = False
        # What was sent meanwhile arrives late on the old connections, or not at all.
        if scene.rng.random() < 0.5:
            net.cut()

    return strike


CLUSTER_FAULTS = tuple(
    Fault(f"cluster: {name}", strike, (need,))
    for name, strike, need in (
        ("leader killed", _kill(_leader), "cluster"),
        ("controller killed", _kill(_controller), "cluster"),
        ("coordinator of the group killed", _kill(_group_coordinator), "cluster"),
        ("coordinator of a transaction killed", _kill(_transaction_coordinator), "cluster"),
        ("two brokers killed", _kill_two_brokers, "cluster"),
        ("leader frozen", _freeze(_leader, 4, 20), "cluster"),
        ("rolling restart of the brokers", _restart_each("kafka"), "cluster"),
        ("replicas in sync below the minimum", _below_minimum, "cluster"),
        ("leader unreachable", _unreachable("kafka"), "cluster_network"),
        ("node killed with its primaries", _kill(_primaries), "cluster"),
        ("master node killed", _kill(_master), "cluster"),
        ("node frozen", _freeze(_any_node, 4, 30), "cluster"),
        ("rolling restart of the nodes", _restart_each("elasticsearch"), "cluster"),
        ("node unreachable", _unreachable("elasticsearch"), "cluster"),
        ("leader and primaries killed at once", _kill(_leader, _primaries), "cluster"),
    )
)
