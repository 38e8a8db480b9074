#!/usr/bin/env bash
# kafka-python commits a transaction whose records were not delivered.
#
# Library:    kafka-python 3.0.12
# Expected:   A transaction is all or nothing. If a record of it times out (`delivery_timeout_ms`),
#             `commit_transaction` raises, as the Java client does, and the transaction is aborted.
# Seen:       The record's future fails, `commit_transaction` returns as if all were well, and the broker is asked
#             to commit. Only the future of each `send` knows:
#                 the record: KafkaTimeoutError: Expiring 1 record(s) for TopicPartition(topic='enriched', partition=0)
#                 commit_transaction: returned
#                 the broker was asked to: commit
# Why:        A consume-process-produce loop puts its consumed offsets into the same transaction. They are committed
#             and the output is not there: records are lost under "exactly once". A leader election that takes
#             longer than `delivery_timeout_ms` is enough. (A timed-out delivery counts as a retriable error, which
#             changes nothing in the state of the transaction.)
# Workaround: Keep the futures of all sends, and abort unless each has succeeded before `commit_transaction`. Or
#             keep `delivery_timeout_ms` well above the time after which the program gives a commit up itself.
# See also:   https://github.com/confluentinc/librdkafka/pull/3325 (the same in librdkafka, fixed in 2021)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet kafka-python==3.0.12
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" - <<'PYTHON'
import logging

from fake_broker import FakeBroker
from kafka import KafkaProducer
from kafka.errors import KafkaError

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
NOT_LEADER_OR_FOLLOWER = 6


def electing(request):
    """What brokers answer while a partition's leader is being elected."""
    return {
        "responses": [
            {
                "name": topic.name,
                "partition_responses": [
                    {"index": partition.index, "error_code": NOT_LEADER_OR_FOLLOWER}
                    for partition in topic.partition_data
                ],
            }
            for topic in request.topic_data
        ]
    }


with FakeBroker({"enriched": 1}, Produce=electing) as broker:
    producer = KafkaProducer(
        bootstrap_servers=broker.address, transactional_id="worker-1", request_timeout_ms=1000, delivery_timeout_ms=2000
    )
    producer.init_transactions()
    producer.begin_transaction()
    future = producer.send("enriched", b"a complaint")
    try:
        producer.commit_transaction()
        commit = "returned"
    except KafkaError as error:
        commit = f"raised {error!r}"
    record = str(future.exception).partition(": 2")[0] if future.is_done else "still under way"
    ends = ["commit" if request.committed else "abort" for request in broker.requests("EndTxn")]
    producer.close(timeout=1)

print("the record:", record)
print("commit_transaction:", commit)
print("the broker was asked to:", *ends)
if "KafkaTimeoutError" not in record or commit != "returned" or ends != ["commit"]:
    raise SystemExit("the behaviour has changed")
PYTHON
