#!/usr/bin/env bash
# `seek_to_committed` leaves a partition where it is if its committed offset is 0 or missing.
#
# Library:    aiokafka 0.14.0 (broker: noida-db 0.2.3; nothing here depends on it)
# Expected:   The position is the committed offset afterwards; without one, what `auto_offset_reset` says, here the
#             start.
# Seen:       It returns the offset that it has not gone to. After five records of which none was committed:
#                 committed 3: returned 3, next record 3
#                 committed 0: returned 0, next record 5
#                 nothing committed: returned None, next record 5
# Why:        This is how a consumer takes back what it has read and not processed, as in a rebalance. The first
#             records of a partition are skipped for good at the first failure, and once something later is
#             committed nobody can tell. Faust (faust-streaming 0.15.3) recovers by this call: a new app without
#             commits loses what it has fetched in the middle of a recovery.
# Workaround: `seek` to `await consumer.committed(tp)` yourself, and `seek_to_beginning` where that is None.
# See also:   https://github.com/aio-libs/aiokafka/issues/1003 (for 0)
set -euo pipefail
work=$(mktemp -d)
broker=
trap 'kill $broker 2>/dev/null || :; wait; rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet aiokafka==0.14.0 noida-db==0.2.3
port=$("$work/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
noida=$("$work/venv/bin/python" -c 'import noida_db; print(noida_db.__path__[0] + "/noida-db")')
"$noida" start --data-dir "$work/data" --only kafka --kafka-port "$port" >"$work/log" 2>&1 &
broker=$!
"$work/venv/bin/python" - "127.0.0.1:$port" <<'PYTHON'
import asyncio
import socket
import sys
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

SERVERS = sys.argv[1]
PARTITION = TopicPartition("reviews", 0)


def wait_for_broker():
    host, port = SERVERS.split(":")
    until = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection((host, int(port))).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


async def read_five_and_seek(committed):
    async with AIOKafkaConsumer(
        bootstrap_servers=SERVERS,
        group_id=f"group-{committed}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    ) as consumer:
        consumer.assign([PARTITION])
        if committed is not None:
            await consumer.commit({PARTITION: committed})
            consumer.seek(PARTITION, 0)
        for _ in range(5):
            await consumer.getone()
        returned = (await consumer.seek_to_committed())[PARTITION]
        return returned, (await consumer.getone()).offset


async def main():
    admin = AIOKafkaAdminClient(bootstrap_servers=SERVERS)
    await admin.start()
    await admin.create_topics([NewTopic("reviews", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=SERVERS) as producer:
        for number in range(10):
            await producer.send_and_wait("reviews", b"%d" % number, partition=0)
    seen = []
    for committed in (3, 0, None):
        returned, after = await read_five_and_seek(committed)
        label = "nothing committed" if committed is None else f"committed {committed}"
        print(f"{label}: returned {returned}, next record {after}")
        seen.append((returned, after))
    if seen != [(3, 3), (0, 5), (None, 5)]:
        raise SystemExit("the behaviour has changed")


wait_for_broker()
asyncio.run(main())
PYTHON
