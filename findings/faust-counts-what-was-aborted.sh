#!/usr/bin/env bash
# A Faust app that is not itself transactional counts records of transactions that were aborted.
#
# Library:    faust-streaming 0.15.3 with aiokafka 0.14.0 (broker: noida-db 0.2.3; nothing here depends on it)
# Expected:   Reading committed records only is a setting of the consumer; the guarantee of one's own output is
#             another.
# Seen:       `processing_guarantee` is the only switch for both. With "at_least_once", the default, the consumer
#             reads uncommitted, and no setting or consumer option of the app changes that:
#                 written: 1 committed, 1 aborted
#                 kafka read_committed: ['committed']
#                 faust at_least_once: ['aborted', 'committed']
# Why:        Upstream goes to trouble to write each record once by transactions. A count, an alert or a table
#             behind it by Faust is wrong after each crash of upstream, by what the crashed process had written and
#             then wrote again.
# Workaround: "exactly_once", if results may wait until Faust's own transaction ends (`broker_commit_interval`).
#             Else set `_isolation_level` on the consumer that a subclass of AIOKafkaConsumerThread makes in
#             `_create_worker_consumer`, and pin both packages.
# See also:   no report was found
set -euo pipefail
work=$(mktemp -d)
broker=
trap 'kill $broker 2>/dev/null || :; wait; rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet faust-streaming==0.15.3 aiokafka==0.14.0 kafka-python==3.0.12 noida-db==0.2.3
port=$("$work/venv/bin/python" -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
noida=$("$work/venv/bin/python" -c 'import noida_db; print(noida_db.__path__[0] + "/noida-db")')
"$noida" start --data-dir "$work/data" --only kafka --kafka-port "$port" >"$work/log" 2>&1 &
broker=$!
cd "$work"
"$work/venv/bin/python" -W ignore - "127.0.0.1:$port" <<'PYTHON'
import asyncio
import logging
import sys
import time

import faust
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

logging.disable(logging.CRITICAL)
SERVERS = sys.argv[1]

admin = KafkaAdminClient(bootstrap_servers=SERVERS)
admin.create_topics([NewTopic("enriched", num_partitions=1, replication_factor=1)])
producer = KafkaProducer(bootstrap_servers=SERVERS, transactional_id="upstream")
producer.init_transactions()
producer.begin_transaction()
producer.send("enriched", b"aborted").get(20)
producer.abort_transaction()
producer.begin_transaction()
producer.send("enriched", b"committed")
producer.commit_transaction()
producer.close()
print("written: 1 committed, 1 aborted")

consumer = KafkaConsumer(
    bootstrap_servers=SERVERS, isolation_level="read_committed", auto_offset_reset="earliest", consumer_timeout_ms=3000
)
consumer.assign([TopicPartition("enriched", 0)])
committed = [record.value.decode() for record in consumer]
print("kafka read_committed:", committed)
consumer.close()

app = faust.App(
    "counter",
    broker=f"kafka://{SERVERS}",
    processing_guarantee="at_least_once",
    consumer_auto_offset_reset="earliest",
    store="memory://",
    datadir="faust",
    topic_partitions=1,
    topic_disable_leader=True,
    reply_create_topic=False,
    web_enabled=False,
    canonical_url="http://counter.invalid",
    autodiscover=False,
    logging_config=None,
)
seen = []


@app.agent(app.topic("enriched", value_type=bytes, value_serializer="raw"))
async def count(stream):
    async for value in stream:
        seen.append(value.decode())


async def run():
    await app.start()
    until = time.monotonic() + 60
    while "committed" not in seen and time.monotonic() < until:
        await asyncio.sleep(0.2)
    await asyncio.wait_for(app.stop(), 30)


asyncio.run(run())
print("faust at_least_once:", seen)
if committed != ["committed"] or seen != ["aborted", "committed"]:
    raise SystemExit("the behaviour has changed")
PYTHON
