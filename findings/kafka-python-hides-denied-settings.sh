#!/usr/bin/env bash
# A topic whose settings may not be read looks like a topic that has none.
#
# Library:    kafka-python 3.0.12
# Expected:   `describe_configs` raises TopicAuthorizationFailedError, or returns the error code of the refused
#             topic.
# Seen:       The error code of each resource is dropped, and with it the broker's words:
#                 describe_configs: {'topic': {'complaints': {}}}
# Why:        A deployment tool that compares actual with wanted settings sees a topic with no setting at all, and
#             plans to set everything. A producer that looks up `max.message.bytes` assumes the default, and may be
#             wrong.
# Workaround: A topic of a real broker always has settings (`config_filter="all"`): an empty answer is a refusal.
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
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

logging.getLogger("kafka").setLevel(logging.CRITICAL + 1)
TOPIC_AUTHORIZATION_FAILED = 29


def refuse(request):
    return {
        "results": [
            {
                "error_code": TOPIC_AUTHORIZATION_FAILED,
                "error_message": "Not authorized to access topics: [Topic authorization failed.]",
                "resource_type": resource.resource_type,
                "resource_name": resource.resource_name,
                "configs": [],
            }
            for resource in request.resources
        ]
    }


with FakeBroker({"complaints": 1}, DescribeConfigs=refuse) as broker:
    admin = KafkaAdminClient(bootstrap_servers=broker.address)
    found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "complaints")], config_filter="all")
    print("describe_configs:", found)
    admin.close()
if found != {"topic": {"complaints": {}}}:
    raise SystemExit("the behaviour has changed")
PYTHON
