#!/usr/bin/env bash
# A refused password is reported as a broker that could not be reached, after being tried again and again.
#
# Library:    kafka-python 3.0.12
# Expected:   SaslAuthenticationFailedError at once: the broker has answered, and the answer is final (KIP-152).
# Seen:       Consumer, producer and admin client try the same password until `bootstrap_timeout_ms` is over, and
#             raise a timeout that does not say why:
#                 KafkaConsumer: KafkaTimeoutError: Unable to bootstrap from ADDRESS; password tried 7 times in 5 s
#             The exception has neither a cause nor a context; only the log has the broker's words.
# Why:        An operator whose worker has an expired secret looks for a network fault. And where the directory
#             behind SASL locks an account after a few failures, one worker that its supervisor restarts locks the
#             account for all.
# Workaround: Before the first client is made, open one connection yourself and ask it: a KafkaConnectionManager's
#             `get_connection(...)` has an `init_future` that fails with SaslAuthenticationFailedError.
# See also:   https://cwiki.apache.org/confluence/display/KAFKA/KIP-152+-+Improve+diagnostics+for+SASL+authentication+failures
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet kafka-python==3.0.12
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 "$work/venv/bin/python" - <<'PYTHON'
import logging

from fake_broker import FakeBroker
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
SASL_AUTHENTICATION_FAILED = 58


def refuse(_):
    return {"error_code": SASL_AUTHENTICATION_FAILED, "error_message": "Authentication failed: wrong password"}


as_seen = True
for client in (KafkaConsumer, KafkaProducer, KafkaAdminClient):
    with FakeBroker({}, SaslHandshake=lambda _: {"mechanisms": ["PLAIN"]}, SaslAuthenticate=refuse) as broker:
        try:
            client(
                bootstrap_servers=broker.address,
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism="PLAIN",
                sasl_plain_username="worker",
                sasl_plain_password="expired",
                bootstrap_timeout_ms=5000,
            )
        except KafkaError as error:
            tries = len(broker.requests("SaslAuthenticate"))
            said = f"{type(error).__name__}: {error.args[0]}".replace(broker.address, "ADDRESS")
            print(f"{client.__name__}: {said}; password tried {tries} times in 5 s")
            silent = error.__cause__ is None and error.__context__ is None and "password" not in str(error)
            as_seen = as_seen and "KafkaTimeoutError" in said and silent and tries > 1
if not as_seen:
    raise SystemExit("the behaviour has changed")
PYTHON
