#!/usr/bin/env bash
# Asked for the offsets of a partition without a leader, the consumer raises KeyError or says "no such record".
#
# Library:    kafka-python 3.0.12
# Expected:   While a broker is replaced its partitions have no leader for some seconds. Asking for their offsets
#             waits, as the Java client does, or raises a retriable KafkaError.
# Seen:       With another partition in the same call, the leaderless one is silently left out of the request:
#                 end_offsets: KeyError(TopicPartition(topic='counts', partition=1))
#                 beginning_offsets: KeyError(TopicPartition(topic='counts', partition=1))
#                 offsets_for_times: partition 0: 100, partition 1: None
#             `None` is what `offsets_for_times` documents for "no message of that time or later". If the partition
#             is the only one in the call, the call waits.
# Why:        No `except KafkaError` catches a KeyError: it ends the process. The None is worse: a replay "from
#             9:00" that takes it for the end of the partition skips all of that partition's records.
# Workaround: Catch KeyError, take the partition out and ask again. Ask for each None once more, in a call of its
#             own.
# See also:   no report was found
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet kafka-python==3.0.12
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" - <<'PYTHON'
import logging

from fake_broker import FakeBroker
from kafka import KafkaConsumer, TopicPartition

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
partitions = [TopicPartition("counts", number) for number in range(2)]
errors = []
with FakeBroker({"counts": 2}) as broker:
    broker.leaderless.add(("counts", 1))
    consumer = KafkaConsumer(bootstrap_servers=broker.address)
    for ask in (consumer.end_offsets, consumer.beginning_offsets):
        try:
            ask(partitions)
        except Exception as error:
            errors.append(error)
            print(f"{ask.__name__}: {error!r}")
    found = consumer.offsets_for_times(dict.fromkeys(partitions, 1_700_000_000_000))
    offsets = [entry and entry.offset for entry in (found[partition] for partition in partitions)]
    print(f"offsets_for_times: partition 0: {offsets[0]}, partition 1: {offsets[1]}")
    consumer.close()
if list(map(type, errors)) != [KeyError, KeyError] or offsets != [100, None]:
    raise SystemExit("the behaviour has changed")
PYTHON
