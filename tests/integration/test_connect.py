"""The recipes of deploy/connect in a real Kafka Connect: what arrives in the topic, and what ends a task."""

import json
import os
import time

import pytest
from connect_records import CASES, FAILURES, PITFALLS, TOPIC
from connect_worker import connect_jars, running_connect
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient, NewTopic

pytestmark = pytest.mark.real

ARRIVING = (*CASES, *PITFALLS)
ALL = (*ARRIVING, *(case for case, _ in FAILURES))


@pytest.fixture(scope="module")
def jars():
    return connect_jars()


@pytest.fixture(scope="module")
def has_debezium(jars):
    return any(jars.glob("debezium-core-*.jar"))


@pytest.fixture(scope="module")
def topics():
    """A topic for each case on the real Kafka."""
    servers = os.environ.get("TRIAGE_TEST_KAFKA") or pytest.skip("TRIAGE_TEST_KAFKA names no Kafka")
    names = {case.name: f"connect{os.getpid()}.{case.name}" for case in ALL}
    admin = KafkaAdminClient(bootstrap_servers=servers)
    admin.create_topics([NewTopic(name, 3, 1) for name in names.values()])
    yield names
    admin.delete_topics(list(names.values()))
    admin.close()


def _connector(case, topic, folder):
    """The recipe for a topic of its own; in place of a connector that Kafka does not bring, its records from a file."""
    replayed = not isinstance(case.sent[0], str)
    sent = folder / f"{case.name}.sent"
    sent.write_text(
        "".join((json.dumps(each) if replayed else each) + "\n" for each in case.sent).replace(TOPIC, topic), "utf-8"
    )
    config = {name: value.replace(TOPIC, topic) for name, value in case.config().items()}
    return config | ({"connector.class": "ReplaySource", "replay.file": str(sent)} if replayed else {"file": str(sent)})


@pytest.fixture(scope="module")
def connect(jars, has_debezium, topics, tmp_path_factory):
    folder = tmp_path_factory.mktemp("connect")
    connectors = {
        case.name: _connector(case, topics[case.name], folder)
        for case in ALL
        if has_debezium or not case.needs_debezium
    }
    with running_connect(jars, folder, os.environ["TRIAGE_TEST_KAFKA"], connectors) as worker:
        yield worker


@pytest.fixture(scope="module")
def arrived(connect, topics):
    """Keys and values by case, once each topic has what it expects; a second more shows what should not come."""
    for case in ARRIVING:
        if case.name in connect.connectors:
            connect.wait_for(case.name, "RUNNING")
    expected = {topics[case.name]: len(case.arrives) for case in ARRIVING if case.name in connect.connectors}
    found = {topic: [] for topic in expected}
    consumer = KafkaConsumer(*expected, bootstrap_servers=os.environ["TRIAGE_TEST_KAFKA"], auto_offset_reset="earliest")
    ends, complete = time.monotonic() + 30, False
    while time.monotonic() < ends:
        for records in consumer.poll(200).values():
            for record in records:
                found[record.topic].append((record.key and record.key.decode(), json.loads(record.value)))
        if not complete and all(len(found[topic]) >= count for topic, count in expected.items()):
            ends, complete = time.monotonic() + 1, True
    consumer.close()
    return {case.name: found[topics[case.name]] for case in ARRIVING if case.name in connect.connectors}


@pytest.mark.parametrize("case", ARRIVING, ids=lambda case: case.name)
def test_records_arrive(connect, arrived, case):
    if case.name not in arrived:
        pytest.skip("no debezium-core-*.jar beside the jars of Kafka Connect")
    assert sorted(arrived[case.name], key=str) == sorted(case.arrives, key=str)
    assert connect.state(case.name)[0] == "RUNNING"


@pytest.mark.parametrize(("case", "said"), FAILURES, ids=lambda value: getattr(value, "name", None))
def test_a_task_ends(connect, case, said):
    trace = connect.wait_for(case.name, "FAILED")
    assert said in trace.rpartition("Caused by: ")[2].partition("\n\tat")[0]
