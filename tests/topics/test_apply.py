"""Plan and apply against the stack: idempotent, adding only, and clear about what cannot be."""

from dataclasses import replace

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource

from triage.config import KafkaSettings
from triage.errors import ConfigError
from triage.topics import admin_client, apply_topics, load_definitions, plan_topics, require_topics

pytestmark = pytest.mark.stack


@pytest.fixture
def kafka(stack, prefix):
    settings = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix, request_timeout_ms=10_000)
    yield settings
    with admin_client(settings) as admin:
        if names := [name for name in admin.list_topics() if name.startswith(f"{prefix}.")]:
            admin.delete_topics(names)


def _described(kafka, name):
    with admin_client(kafka) as admin:
        (topic,) = admin.describe_topics([kafka.topic(name)])
        configs = admin.describe_configs([ConfigResource("topic", kafka.topic(name))], config_filter="all")
    return len(topic["partitions"]), {key: value["value"] for key, value in configs["topic"][kafka.topic(name)].items()}


def test_everything_is_created_as_defined_and_a_second_run_has_nothing_to_do(kafka):
    assert all(change.create for change in plan_topics(kafka).topics)
    seen = []
    done = apply_topics(kafka, on_plan=seen.append, on_done=seen.append)
    assert seen == [done, *done.topics]
    for definition in load_definitions(kafka):
        partitions, config = _described(kafka, definition.name)
        assert partitions == definition.partitions
        assert {name: config[name] for name in definition.config} == definition.config
    again = apply_topics(kafka, on_done=lambda change: pytest.fail(f"touched {change}"))
    assert again.empty
    assert again.warnings == ()
    assert again.notes == ()


def test_a_changed_definition_is_applied_and_a_smaller_one_never(kafka):
    definitions = load_definitions(kafka)
    apply_topics(kafka, definitions=definitions)
    first, *others = definitions
    grown = replace(first, partitions=first.partitions + 2, config={**first.config, "retention.ms": "7200000"})
    plan = plan_topics(kafka, definitions=[grown, *others])
    (change,) = [change for change in plan.topics if not change.empty]
    assert [(item.name, item.old, item.new) for item in change.config] == [("retention.ms", "259200000", "7200000")]
    assert _described(kafka, first.name)[0] == first.partitions, "plan must change nothing"

    apply_topics(kafka, definitions=[grown, *others])
    partitions, config = _described(kafka, first.name)
    assert (partitions, config["retention.ms"]) == (first.partitions + 2, "7200000")
    assert config["message.timestamp.type"] == "LogAppendTime", "other settings stay"

    shrunk = apply_topics(kafka, definitions=definitions)
    assert "never removed" in shrunk.warnings[0]
    assert _described(kafka, first.name)[0] == first.partitions + 2


def test_topics_and_settings_that_are_not_ours_stay(kafka):
    apply_topics(kafka)
    with admin_client(kafka) as admin:
        admin.create_topics({kafka.topic("other"): {"num_partitions": 1, "replication_factor": 1}})
        admin.alter_configs([ConfigResource("topic", kafka.topic("alerts"), {"segment.ms": "3600000"})])
    done = apply_topics(kafka)
    assert done.empty
    assert any("segment.ms=3600000; left alone" in note for note in done.notes)
    assert any(f"{kafka.topic('other')} is not in the definitions" in note for note in done.notes)
    assert _described(kafka, "alerts")[1]["segment.ms"] == "3600000"
    assert _described(kafka, "other")[0] == 1


def test_data_survives_another_apply(kafka):
    apply_topics(kafka)
    producer = KafkaProducer(**kafka.client())
    sent = producer.send(kafka.topic("complaints"), b'{"text":"kept"}').get(timeout=10)
    producer.close()
    apply_topics(kafka)
    assert sent.offset == 0
    producer = KafkaProducer(**kafka.client())
    assert producer.send(kafka.topic("complaints"), b"x", partition=sent.partition).get(timeout=10).offset == 1
    producer.close()


def test_more_replicas_than_brokers_is_a_clear_error_and_the_rest_is_still_made(kafka):
    first, second, *_ = load_definitions(kafka)
    with pytest.raises(ConfigError, match=rf"creating {kafka.topic(first.name)}.*lower replication_factor"):
        apply_topics(kafka, definitions=[replace(first, replication_factor=3), second])
    assert require_topics(kafka, [second.name]) == {second.name: 5 * 1024 * 1024}
    with pytest.raises(ConfigError, match=rf"topic {kafka.topic(first.name)} does not exist.*triage topics apply"):
        require_topics(kafka, [first.name, second.name])


def test_a_value_the_broker_refuses_is_named(kafka):
    first, *_ = load_definitions(kafka)
    with pytest.raises(ConfigError, match=r"retention\.ms"):
        apply_topics(kafka, definitions=[replace(first, config={**first.config, "retention.ms": "soon"})])
