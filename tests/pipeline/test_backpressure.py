"""A slow Elasticsearch: the worker waits as a member of its group, in bounded memory, and catches up fast."""

import sys
import threading
import time

import pytest
from chaos.monitor import usage
from harness import numbered, wait_for
from worker_rig import Rig

from triage.sinks.memory import MemorySink


class SlowSink(MemorySink):
    """Blocks in a write until released, as a request to a frozen node does."""

    def __init__(self):
        super().__init__()
        self.entered = threading.Event()
        self.release = threading.Event()

    def write(self, documents):
        self.entered.set()
        assert self.release.wait(30)
        return super().write(documents)


def test_while_a_write_blocks_the_group_is_answered_and_partitions_that_left_are_dropped(monkeypatch):
    monkeypatch.setattr("triage.pipeline.worker._KEEP_ALIVE_S", 0.01)
    rig = Rig(SlowSink(), **{"worker.max_batch_records": 4, "worker.batches_in_flight": 2})
    rig.send(*(b'{"id": "r%d", "text": "It never arrived"}' % n for n in range(8)))
    rig.send(*(b'{"id": "s%d", "text": "It never arrived"}' % n for n in range(8)), partition=1)
    paused = []

    def keep_alive():
        if rig.sink.entered.is_set():
            paused.append(rig.metrics.registry.get_sample_value("triage_paused"))
        if len(paused) == 20:
            rig.source.revoke(("feedback.complaints", 0))
            rig.source.revoke(("feedback.complaints", 1))
            rig.sink.release.set()

    rig.run(keep_alive)
    assert paused[10:20] == [1.0] * 10
    assert rig.metrics.registry.get_sample_value("triage_paused") == 0
    # No duplicates: what was in flight of revoked partitions is read again.
    ids = [record["event"]["id"] for record in rig.produced("enriched")]
    assert sorted(ids) == sorted([f"r{n}" for n in range(8)] + [f"s{n}" for n in range(8)])
    assert len(rig.model.calls) > 4


def test_stages_run_beside_the_thread_that_polls():
    rig = Rig()
    seen = set()
    write, predict = rig.sink.write, rig.model.predict
    rig.sink.write = lambda documents: seen.add(threading.current_thread().name) or write(documents)
    rig.model.predict = lambda texts: seen.add(threading.current_thread().name) or predict(texts)
    rig.send(b'{"id": "r1", "text": "It never arrived"}')
    rig.run()
    assert seen == {"work", "store"}


@pytest.mark.real
@pytest.mark.stack
def test_an_elasticsearch_that_stalls_past_the_session_timeout_costs_no_rebalance_and_no_memory(supervised):
    """The session timeout is 12 s, the stall 25 s: only heartbeats and polls keep the partitions."""
    fleet = supervised(**{"elasticsearch.request_timeout_s": 60, "worker.session_timeout_ms": 12_000})
    fleet.launch(["a", "b"], alerter=False)
    for slot in "ab":
        wait_for(lambda slot=slot: "partitions_assigned" in fleet.logs(f"{slot}.log"), 180, f"a share for {slot}")
    fleet.produce(numbered(500))
    fleet.wait_drained(180)
    assigned = fleet.logs().count("partitions_assigned")
    before = [usage(process.pid)[0] for process in fleet.processes.values()]

    fleet.stack.elastic_nets[0].stalled = True
    fleet.produce(numbered(6_000, start=500))
    waiting_until, most = time.monotonic() + 25, before
    while time.monotonic() < waiting_until:
        now = [usage(process.pid)[0] for process in fleet.processes.values()]
        most = [max(pair) for pair in zip(most, now, strict=True)]
        time.sleep(0.5)
    lag = fleet.committed_lag()
    assert lag > 5_000
    fleet.stack.elastic_nets[0].stalled = False
    started = time.monotonic()
    fleet.wait_drained(180)
    took_s = time.monotonic() - started
    sys.stdout.write(
        f"\n25 s stalled, lag of {lag} records: {before} MiB became {most} at most; caught up in {took_s:.1f} s\n"
    )
    assert fleet.logs().count("partitions_assigned") == assigned
    assert fleet.exits == []
    assert all(high - low < 64 for low, high in zip(before, most, strict=True))
    found = fleet.audit()
    assert set(found.enriched.values()) == set(found.indexed.values()) == {1}
    assert found.counted == 6_500


@pytest.mark.parametrize(("slow", "grows"), [({"sink"}, True), ({"model"}, False), ({"sink", "model"}, True)])
def test_batches_shrink_for_a_slow_model_and_not_for_a_slow_elasticsearch(slow, grows):
    # One after the other: the injected clock is the same for all threads.
    rig = Rig(**{"worker.max_batch_records": 512, "worker.batches_in_flight": 1})
    write, predict = rig.sink.write, rig.model.predict
    if "sink" in slow:
        rig.sink.write = lambda documents: rig.clock.advance(12) or write(documents)
    if "model" in slow:
        rig.model.predict = lambda texts: rig.clock.advance(0.02 * len(texts)) or predict(texts)
    rig.send(*(b'{"id": "r%d", "text": "It never arrived"}' % n for n in range(2_000)))
    rig.run()
    sizes = [len(call) for call in rig.model.calls]
    assert (max(sizes) == 512) is grows
    assert (min(sizes[2:-1]) < 64) is not grows
