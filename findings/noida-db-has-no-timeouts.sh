#!/usr/bin/env bash
# noida-db's Kafka has no timeouts: it answers empty fetches at once and never removes a dead member from its group.
#
# Library:    noida-db 0.2.3, with kafka-python 3.0.12
# Expected:   A fetch that finds nothing waits for `fetch.max.wait.ms`; a member that is silent for
#             `session.timeout.ms` leaves its group, and a peer gets its partitions.
# Seen:       Neither happens. An idle consumer fetches as fast as the machine can, and uses much of a core. The
#             successor of a killed consumer gets no partitions:
#                 idle for 5 s, fetch_max_wait_ms=500: 79 fetches a second (a broker that waits: 2)
#                 18 s after SIGKILL of a member with a session of 6 s: its successor owns []
# Why:        It is a handy broker for tests, and both make tests misleading: takeover seems broken where it is not,
#             and your own consumer loop is blamed for the CPU time, or makes other tests time out on a small
#             machine.
# Workaround: Poll without waiting and pause between polls. Give consumers a `group_instance_id`, so that a
#             restarted one takes its own partitions back at once. Test takeover by a peer on a real Kafka.
# See also:   no report was found
set -euo pipefail
work=$(mktemp -d)
broker=
trap 'kill $broker 2>/dev/null || :; wait; rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet noida-db==0.2.3 kafka-python==3.0.12
port=$("$work/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
noida=$("$work/venv/bin/python" -c 'import noida_db; print(noida_db.__path__[0] + "/noida-db")')
"$noida" start --data-dir "$work/data" --only kafka --kafka-port "$port" >"$work/log" 2>&1 &
broker=$!
cat >"$work/member.py" <<'PYTHON'
"""A member of the group that dies once it owns its partitions."""

import os
import signal
import sys

from kafka import KafkaConsumer

consumer = KafkaConsumer(
    "reviews", bootstrap_servers=sys.argv[1], group_id="g", session_timeout_ms=6000, heartbeat_interval_ms=1000
)
while not consumer.assignment():
    consumer.poll(timeout_ms=1000)
os.kill(os.getpid(), signal.SIGKILL)
PYTHON
"$work/venv/bin/python" - "127.0.0.1:$port" "$work/member.py" <<'PYTHON'
import logging
import signal
import subprocess
import sys
import time

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
SERVERS, MEMBER = sys.argv[1:]
admin = KafkaAdminClient(bootstrap_servers=SERVERS)
admin.create_topics([NewTopic("reviews", num_partitions=2, replication_factor=1)])

consumer = KafkaConsumer(bootstrap_servers=SERVERS, fetch_max_wait_ms=500)
consumer.assign([TopicPartition("reviews", 0)])
until = time.monotonic() + 5
while (left := until - time.monotonic()) > 0:
    consumer.poll(timeout_ms=int(left * 1000))
rate = consumer.metrics()["consumer-fetch-manager-metrics"]["fetch-rate"]
consumer.close()
print(f"idle for 5 s, fetch_max_wait_ms=500: {rate:.0f} fetches a second (a broker that waits: 2)")

died = subprocess.run([sys.executable, MEMBER, SERVERS], check=False).returncode
successor = KafkaConsumer(
    "reviews", bootstrap_servers=SERVERS, group_id="g", session_timeout_ms=6000, heartbeat_interval_ms=1000
)
until = time.monotonic() + 18
while not successor.assignment() and time.monotonic() < until:
    successor.poll(timeout_ms=1000)
owned = sorted(partition.partition for partition in successor.assignment())
print(f"18 s after SIGKILL of a member with a session of 6 s: its successor owns {owned}")
if rate < 10 or died != -signal.SIGKILL or owned:
    raise SystemExit("the behaviour has changed")
PYTHON
