"""The local stack starts on free ports, implements both protocols, and ends."""

import httpx
from kafka.admin import KafkaAdminClient

from triage.local.stack import LocalStack


def test_the_stack_serves_both_protocols_and_keeps_data_over_a_restart(tmp_path):
    stack = LocalStack(tmp_path)
    endpoints = stack.start()
    httpx.put(f"{endpoints.elasticsearch_url}/kept/_doc/1?refresh=true", json={"a": 1}, timeout=60).raise_for_status()
    admin = KafkaAdminClient(bootstrap_servers=endpoints.bootstrap_servers)
    assert [name for name in admin.list_topics() if not name.startswith("__")] == []
    admin.close()
    stack.stop()
    assert stack.pid is None

    assert stack.start() == endpoints
    assert httpx.get(f"{endpoints.elasticsearch_url}/kept/_doc/1", timeout=60).json()["_source"] == {"a": 1}
    stack.stop()


def test_a_port_in_use_is_replaced(tmp_path):
    with LocalStack(tmp_path / "a", 0, 0) as first:
        taken = int(first.bootstrap_servers.rpartition(":")[2])
        with LocalStack(tmp_path / "b", taken, 0) as second:
            assert second.bootstrap_servers != first.bootstrap_servers


def test_a_detached_stack_outlives_its_starter_and_can_be_ended_by_another_object(tmp_path):
    endpoints = LocalStack(tmp_path).detach()
    assert LocalStack(tmp_path).detach() == endpoints
    httpx.get(endpoints.elasticsearch_url, timeout=60).raise_for_status()
    assert LocalStack(tmp_path).end_detached()
    assert not LocalStack(tmp_path).end_detached()
