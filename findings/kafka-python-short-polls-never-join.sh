#!/usr/bin/env bash
# A consumer whose polls do not wait never gets its partitions, and makes its group rebalance again and again.
#
# Library:    kafka-python 3.0.12
# Expected:   `poll(timeout_ms=0)` in a loop is a supported pattern: it returns what is there. Joining the group
#             continues between the calls, as it does in the Java client, and is done after some of them.
# Seen:       A join that completes between two calls is thrown away, and the next call begins a new one. With a
#             coordinator that answers after 0.1 s, and calls 0.3 s apart:
#                 poll(timeout_ms=0), 40 times: 38 generation(s), assignment: []
#                 poll(timeout_ms=3000), once: 1 generation(s), assignment: [0, 1]
# Why:        A worker that has other work between its polls, as with records in flight, polls without waiting. It
#             gets nothing, and each thrown away join is a new generation for the whole group: the healthy members
#             have to join again as well, so one such member keeps a group from ever settling.
# Workaround: While a rebalance is under way, poll with a timeout that is longer than a join takes (some seconds).
# See also:   no report was found
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet kafka-python==3.0.12
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" - <<'PYTHON'
import logging
import time

from fake_broker import FakeBroker
from kafka import KafkaConsumer

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)


def slow_join(request):
    if request.member_id:
        time.sleep(0.1)
    return broker.join(request)


seen = []
for timeout_ms, polls in ((0, 40), (3000, 1)):
    with FakeBroker({"complaints": 2}, JoinGroup=slow_join) as broker:
        consumer = KafkaConsumer(
            "complaints", bootstrap_servers=broker.address, group_id="workers", enable_auto_commit=False
        )
        for _ in range(polls):
            consumer.poll(timeout_ms=timeout_ms)
            time.sleep(0.3)
        assigned = sorted(partition.partition for partition in consumer.assignment())
        seen.append((broker.generation, assigned))
        times = "once" if polls == 1 else f"{polls} times"
        print(f"poll(timeout_ms={timeout_ms}), {times}: {broker.generation} generation(s), assignment: {assigned}")
        consumer.close(autocommit=False)

(many, nothing), (one, both) = seen
if many < 10 or nothing or one != 1 or both != [0, 1]:
    raise SystemExit("the behaviour has changed")
PYTHON
