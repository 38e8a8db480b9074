#!/usr/bin/env bash
# A member that was expelled from its group joins again as a new member and claims the partitions it has lost.
#
# Library:    kafka-python 3.0.12, CooperativeStickyAssignor
# Expected:   UNKNOWN_MEMBER_ID as the answer to JoinGroup says that the membership, and with it the assignment, is
#             over. The client calls `on_partitions_lost`, forgets its positions, and joins as a new member that
#             owns nothing.
# Seen:       It joins again in the same call under a new member id, and its metadata still claims what it owned. No
#             listener is called; it reads on from its old positions:
#                 JoinGroup of '': owns []
#                 JoinGroup of 'member-1': owns []
#                 JoinGroup of 'member-1': owns [0, 1]      <- refused: UNKNOWN_MEMBER_ID
#                 JoinGroup of '': owns [0, 1]
#                 JoinGroup of 'member-2': owns [0, 1]
#                 listener: ['assigned [0, 1]']; positions: [55, 55], committed: [0, 0]
# Why:        A worker that was frozen for longer than its session comes back exactly so. Meanwhile a peer owns its
#             partitions. Both claim them, the leader believes the claims, and the group has two owners of a
#             partition: each record since the last commit is processed twice, with no error anywhere.
# Workaround: Subclass the assignor: its `metadata()` sets `member_assignment = None` once the consumer's group
#             metadata has another member id than at the last commit, or no generation. And compare the member id
#             after each poll.
# See also:   no report was found
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet kafka-python==3.0.12
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" - <<'PYTHON'
import logging
import struct
import time

from fake_broker import FakeBroker
from kafka import KafkaConsumer
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS = 25, 27
events = []


class Listener(ConsumerRebalanceListener):
    def on_partitions_assigned(self, assigned):
        events.append(f"assigned {sorted(p.partition for p in assigned)}")

    def on_partitions_revoked(self, revoked):
        events.append(f"revoked {sorted(p.partition for p in revoked)}")

    def on_partitions_lost(self, lost):
        events.append(f"lost {sorted(p.partition for p in lost)}")


class Coordinator:
    """Expels member-1 once `expelled` is set, and accepts everyone else."""

    expelled = False

    def join(self, request):
        if self.expelled and request.member_id == "member-1":
            return {"error_code": UNKNOWN_MEMBER_ID}
        return broker.join(request)

    def heartbeat(self, request):
        over = self.expelled and request.member_id == "member-1"
        return {"error_code": REBALANCE_IN_PROGRESS if over else 0}


def owned(metadata):
    """The partitions that a member claims: Kafka's ConsumerProtocolSubscription, version 1, one topic."""
    _, topics, length = struct.unpack_from(">hih", metadata)
    assert topics == 1
    at = 8 + length + 4
    count = struct.unpack_from(">i", metadata, at)[0]
    if not count:
        return []
    length = struct.unpack_from(">h", metadata, at + 4)[0]
    partitions = struct.unpack_from(">i", metadata, at + 6 + length)[0]
    return sorted(struct.unpack_from(f">{partitions}i", metadata, at + 10 + length))


def poll_until(condition):
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        consumer.poll(timeout_ms=200)


coordinator = Coordinator()
with FakeBroker({"complaints": 2}, JoinGroup=coordinator.join, Heartbeat=coordinator.heartbeat) as broker:
    consumer = KafkaConsumer(
        bootstrap_servers=broker.address,
        group_id="workers",
        partition_assignment_strategy=[CooperativeStickyAssignor],
        heartbeat_interval_ms=200,
        session_timeout_ms=6000,
        enable_auto_commit=False,
    )
    consumer.subscribe(["complaints"], listener=Listener())
    poll_until(consumer.assignment)
    for partition in consumer.assignment():
        consumer.seek(partition, 55)
    coordinator.expelled = True
    poll_until(lambda: broker.generation == 2)
    joins = [
        (request.member_id, owned(bytes(request.protocols[0].metadata))) for request in broker.requests("JoinGroup")
    ]
    heard = list(events)
    positions = sorted(map(consumer.position, consumer.assignment()))
    consumer.close(autocommit=False)

for member, partitions in joins:
    print(f"JoinGroup of {member!r}: owns {partitions}")
print(f"listener: {heard}; positions: {positions}, committed: [0, 0]")
if joins[-1] != ("member-2", [0, 1]) or heard != ["assigned [0, 1]"] or positions != [55, 55]:
    raise SystemExit("the behaviour has changed")
PYTHON
