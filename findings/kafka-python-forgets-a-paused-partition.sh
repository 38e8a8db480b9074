#!/usr/bin/env bash
# A partition that is paused in the middle of a fetched batch and resumed later is never read again.
#
# Library:    kafka-python 3.0.12 (broker: noida-db 0.2.3; nothing here depends on it)
# Expected:   `pause` and `resume` stop and continue a partition. All its records are returned in the end.
# Seen:       If another partition was read to its end in between, the rest of the paused one is neither returned
#             nor fetched again, for as long as the consumer lives. No error; the assignment and the position look
#             well:
#                 before the pause: 10 of 100 records of the paused partition
#                 while it is paused: 100 of 100 of the other one
#                 10 s after resume: 10 of 100; position 10, end 100, paused: none
# Why:        Pausing is how a worker waits for a slow sink without leaving its group. A rebalance that brings one
#             more partition meanwhile is enough; the old one then lags for ever. (Fetched records of a paused
#             partition are set aside, and taken back only while the fetcher's current fetch is None; a partition
#             read to its end leaves an empty one. What is set aside counts as buffered, so it is not fetched
#             either.)
# Workaround: Do not pause. Call what keeps the membership alive and fetch nothing, or poll and keep the records.
#             Watch for a partition that lags while polls come back empty, and then build a new consumer.
# See also:   https://github.com/dpkp/kafka-python/pull/2981 (keeps what was fetched of paused partitions, since
#             3.0)
set -euo pipefail
work=$(mktemp -d)
broker=
trap 'kill $broker 2>/dev/null || :; wait; rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet kafka-python==3.0.12 noida-db==0.2.3
port=$("$work/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
noida=$("$work/venv/bin/python" -c 'import noida_db; print(noida_db.__path__[0] + "/noida-db")')
"$noida" start --data-dir "$work/data" --only kafka --kafka-port "$port" >"$work/log" 2>&1 &
broker=$!
"$work/venv/bin/python" - "127.0.0.1:$port" <<'PYTHON'
import logging
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
SERVERS, EACH = sys.argv[1], 100

admin = KafkaAdminClient(bootstrap_servers=SERVERS)
admin.create_topics([NewTopic("reviews", num_partitions=2, replication_factor=1)])
producer = KafkaProducer(bootstrap_servers=SERVERS)
for number in range(2 * EACH):
    producer.send("reviews", b"%d" % number, partition=number % 2)
producer.flush()

both = [TopicPartition("reviews", number) for number in range(2)]
counts = dict.fromkeys(both, 0)
consumer = KafkaConsumer(bootstrap_servers=SERVERS, auto_offset_reset="earliest", enable_auto_commit=False)
consumer.assign(both)


def read(most, seconds, enough):
    until = time.monotonic() + seconds
    while sum(counts.values()) < enough and time.monotonic() < until:
        for partition, records in consumer.poll(timeout_ms=200, max_records=most).items():
            counts[partition] += len(records)


read(most=10, seconds=20, enough=10)
paused = next(partition for partition in both if counts[partition])
other = next(partition for partition in both if partition != paused)
print(f"before the pause: {counts[paused]} of {EACH} records of the paused partition")
consumer.pause(paused)
read(most=500, seconds=20, enough=10 + EACH)
print(f"while it is paused: {counts[other]} of {EACH} of the other one")
consumer.resume(paused)
read(most=500, seconds=10, enough=2 * EACH)
position, end = consumer.position(paused), consumer.end_offsets([paused])[paused]
still = sorted(consumer.paused()) or "none"
print(f"10 s after resume: {counts[paused]} of {EACH}; position {position}, end {end}, paused: {still}")
consumer.close(autocommit=False)
if counts != {paused: 10, other: EACH}:
    raise SystemExit("the behaviour has changed")
PYTHON
