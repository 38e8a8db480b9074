"""Faults in what the raw topics and the index hold: a batch that can't be read, records that expire, a flood."""

import subprocess
import sys
import time

from chaos.fault import Fault, Scene
from chaos.fleet import STAND_IN
from chaos.stand_in import UNREADABLE
from checkout import ROOT
from harness import RAW, wait_for
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

from triage.elastic.client import connect
from triage.topics.group_offsets import committed_offsets
from triage.topics.kafka_types import ConsumerRecord, TopicPartition

FLOOD = 6_000
# A record of another topic waits for some batches while a flood is processed, not for its end.
FAIR_S = 20.0


def _partition(scene: Scene, *, other_than: str = "") -> TopicPartition:
    kafka = scene.fleet.settings.kafka
    topics = [name for name in map(kafka.topic, RAW) if name != other_than]
    return TopicPartition(scene.rng.choice(topics), scene.rng.randrange(3))


def _send(scene: Scene, where: TopicPartition, *values: bytes) -> int:
    """Send records in one go, and return the offset of the last."""
    producer = KafkaProducer(
        bootstrap_servers=scene.fleet.settings.kafka.bootstrap_servers, acks="all", linger_ms=50, max_block_ms=120_000
    )
    try:
        last = [producer.send(where.topic, value=value, partition=where.partition) for value in values][-1]
        return int(last.get(120).offset)
    finally:
        producer.close()


def _committed(scene: Scene, where: TopicPartition) -> int:
    admin = KafkaAdminClient(**scene.fleet.settings.kafka.client())
    try:
        return committed_offsets(admin, scene.fleet.settings.worker.group, [where])[where] or 0
    finally:
        admin.close()


def _logged(scene: Scene, *parts: str) -> bool:
    return any(all(part in line for part in parts) for line in scene.fleet.logs().splitlines())


def _leave_unreadable_batch(scene: Scene) -> bool:
    """Send a batch that no client of the fleet can read, and skip it once its partition waits there."""
    where = _partition(scene)
    offset = _send(scene, where, UNREADABLE)
    position = f"{where.topic}/{where.partition}/{offset}"
    said = f'"position":"{position}"'
    wait_for(lambda: _logged(scene, "unreadable_batch", said), 120, f"a worker at {position}")
    scene.pause(1, 4)

    def skip() -> bool:
        return (
            subprocess.run(
                [sys.executable, str(STAND_IN), "worker", "skip", position],
                env=scene.fleet.environment(ROOT),
                cwd=scene.fleet.tmp_path,
                capture_output=True,
                timeout=120,
                check=False,
            ).returncode
            == 0
        )

    # Refused until all before it is committed.
    wait_for(skip, 120, f"the skip of {position}")
    return True


def _expire(scene: Scene) -> bool:
    """All workers stop, and retention deletes records of a partition that they have not read."""
    if scene.spared:
        return False
    fleet, where = scene.fleet, _partition(scene)
    workers = fleet.running("worker")
    for role in workers:
        fleet.remove(role)
    next_offset = _committed(scene, where)
    scene.pause(1, 3)
    kept = _kept(scene, where)
    unread = [record for record in kept if record.offset >= next_offset]
    if unread:
        first = unread[len(unread) // 2].offset + 1
        fleet.expired += [(record, record.offset >= next_offset) for record in kept if record.offset < first]
        admin = KafkaAdminClient(**fleet.settings.kafka.client())
        admin.delete_records({where: first})
        admin.close()
    for role in workers:
        fleet.add(role)
    if unread:
        name = f"{where.topic}/{where.partition}"
        said = f'"partition":"{name}"'
        wait_for(lambda: _logged(scene, "records_expired_unread", said), 120, f"a report of what expired of {name}")
    return bool(unread)


def _kept(scene: Scene, where: TopicPartition) -> list[ConsumerRecord]:
    """What the partition holds."""
    consumer = KafkaConsumer(
        **scene.fleet.settings.kafka.client(), enable_auto_commit=False, isolation_level="read_committed"
    )
    try:
        consumer.assign([where])
        consumer.seek_to_beginning(where)
        end = consumer.end_offsets([where])[where]
        found: list[ConsumerRecord] = []
        while (consumer.position(where) or 0) < end:
            found += consumer.poll(timeout_ms=500).get(where, [])
        return found
    finally:
        consumer.close()


def _flood(scene: Scene) -> None:
    """One partition gets thousands of records at once; a record of another topic must not wait for their end."""
    flooded = _partition(scene)
    name = scene.rng.randrange(10**9)
    last = _send(scene, flooded, *(b'{"id": "r-flood-%d-%d", "text": "Great lamp"}' % (name, n) for n in range(FLOOD)))
    probe = _partition(scene, other_than=flooded.topic)
    offset = _send(scene, probe, b'{"id": "r-probe-%d", "text": "Great lamp"}' % name)
    until = time.monotonic() + FAIR_S
    while _committed(scene, probe) <= offset:
        if time.monotonic() > until and _committed(scene, flooded) <= last:
            scene.problems.append(f"a record of {probe.topic} waited {FAIR_S:g} s behind a flood on {flooded.topic}")
            return
        time.sleep(0.2)


def _close_index(scene: Scene) -> bool:
    """Close every index of records, as an operator may by mistake, and open them seconds later."""
    settings = scene.fleet.settings.elasticsearch
    with connect(settings) as client:
        names = sorted(client.indices.get(index=f"{settings.index_prefix}-*").body)
        if not names:
            return False
        try:
            client.indices.close(index=names)
            scene.pause(3, 6)
        finally:
            client.indices.open(index=names)
            client.cluster.health(index=names, wait_for_status="yellow", timeout="60s")
    return True


RECORD_FAULTS = (
    Fault("unreadable batch, skipped", _leave_unreadable_batch, ("expiry",)),
    Fault("retention past stopped workers", _expire, ("expiry",)),
    Fault("flood on one topic", _flood, ("expiry",)),
    Fault("Elasticsearch indices closed for real", _close_index, ("expiry",)),
)
