#!/usr/bin/env bash
# Each consumer that finds no broker leaves a running thread and its sockets behind.
#
# Library:    kafka-python 3.0.12
# Expected:   A constructor that raises leaves nothing behind.
# Seen:       The I/O thread is started before the first broker is contacted, and is not stopped when that fails.
#             Three failed tries, with the garbage collected:
#                 try 1: KafkaTimeoutError, 2 threads, 4 more files open
#                 try 2: KafkaTimeoutError, 3 threads, 8 more files open
#                 try 3: KafkaTimeoutError, 4 threads, 12 more files open
# Why:        "Try, sleep, try again" is the natural way to wait for Kafka. A try every 5 s is 720 threads after an
#             hour, and the limit on open files is reached before.
# Workaround: Make a KafkaNetClient yourself, give it to the constructor by `kafka_client=lambda **configs: ...`,
#             and close it when the constructor raises. Or probe the port by a plain socket first.
# See also:   no report was found
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet kafka-python==3.0.12
"$work/venv/bin/python" - <<'PYTHON'
import gc
import logging
import socket
import threading
from pathlib import Path

from kafka import KafkaConsumer
from kafka.errors import KafkaError

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
with socket.create_server(("127.0.0.1", 0)) as server:
    closed_port = server.getsockname()[1]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0


before, threads = open_files(), []
for number in range(1, 4):
    try:
        KafkaConsumer(bootstrap_servers=f"127.0.0.1:{closed_port}", bootstrap_timeout_ms=1000)
    except KafkaError as error:
        name = type(error).__name__
    gc.collect()
    threads.append(threading.active_count())
    print(f"try {number}: {name}, {threads[-1]} threads, {open_files() - before} more files open")
if threads != [2, 3, 4]:
    raise SystemExit("the behaviour has changed")
PYTHON
