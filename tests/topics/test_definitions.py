"""topics.yaml: the committed one is valid everywhere, precedence, units, and all problems in one message."""

import pytest
import yaml

from triage.config import KafkaSettings
from triage.errors import ConfigError
from triage.topics.definitions import RAW_TOPICS as RAW_BY_CHANNEL
from triage.topics.definitions import TOPICS, load_definitions
from triage.topics.units import config_value, readable

RAW_TOPICS = tuple(RAW_BY_CHANNEL.values())


def _minimal(**changes):
    raw = {"config": {"message.timestamp.type": "LogAppendTime"}}
    file = {
        "version": 1,
        "defaults": {"partitions": 3, "replication_factor": 1},
        "topics": {name: raw if name in RAW_TOPICS else {} for name in TOPICS},
        "environments": {"local": {}},
    }
    return file | changes


def _load(tmp_path, content, **settings):
    path = tmp_path / "topics.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return {item.name: item for item in load_definitions(KafkaSettings(**settings), path)}


@pytest.mark.parametrize("environment", ["local", "production"])
def test_the_committed_file_is_valid_in_every_environment(environment):
    definitions = {item.name: item for item in load_definitions(KafkaSettings(environment=environment))}
    assert list(definitions) == list(TOPICS)
    for name in RAW_TOPICS:
        raw = definitions[name]
        assert raw.full_name == f"feedback.{name}"
        assert raw.config["message.timestamp.type"] == "LogAppendTime"
        assert raw.config["cleanup.policy"] == "delete"
        assert raw.config["retention.ms"] == str(3 * 86_400_000)
        assert raw.description
    assert definitions["enriched"].compacted
    assert definitions["alerts"].config["cleanup.policy"] == "compact"
    assert int(definitions["dead-letter"].config["retention.ms"]) > int(definitions["enriched"].config["retention.ms"])
    replicas = {definition.replication_factor for definition in definitions.values()}
    in_sync = {definition.config["min.insync.replicas"] for definition in definitions.values()}
    assert (replicas, in_sync) == (({1}, {"1"}) if environment == "local" else ({3}, {"2"}))


def test_the_more_specific_section_wins(tmp_path):
    file = _minimal(
        environments={
            "local": {},
            "big": {
                "defaults": {"partitions": 12, "config": {"retention.ms": "1d"}},
                "topics": {"alerts": {"partitions": 2}},
            },
        }
    )
    file["topics"]["enriched"] = {"partitions": 5, "config": {"retention.ms": "2d"}}
    big = _load(tmp_path, file, environment="big", topic_prefix="shop")
    assert big["complaints"].partitions == 12
    assert big["complaints"].config["retention.ms"] == "86400000"
    assert big["enriched"].partitions == 5
    assert big["enriched"].config["retention.ms"] == "172800000"
    assert big["alerts"].partitions == 2
    assert big["alerts"].full_name == "shop.alerts"
    assert _load(tmp_path, file)["complaints"].partitions == 3


def test_all_problems_come_in_one_message(tmp_path):
    file = _minimal()
    del file["topics"]["alerts"]
    file["topics"]["complaints"] = {"config": {"retention.mss": 1, "retention.ms": "3 weeks"}}
    file["topics"]["enriched"] = {"config": {"cleanup.policy": "forget", "min.insync.replicas": 2}}
    file["environments"]["local"] = {"topics": {"nowhere": {"partitions": 1}}}
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, file)
    message = str(caught.value)
    for part in (
        "topics.alerts: triage needs this topic",
        "topics.nowhere: no such topic above",
        "retention.mss is not a topic setting of Kafka; did you mean retention.ms?",
        "retention.ms: '3 weeks' is not a number with one of the units ms, s, m, h, d",
        "cleanup.policy is 'forget', not one of",
        "min.insync.replicas 2 exceeds replication_factor 1",
        "a raw topic needs message.timestamp.type LogAppendTime",
    ):
        assert part in message
    assert len(caught.value.problems) == 7


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("topics: [", "not valid YAML"),
        ("version: 1\nversion: 1\n", "duplicate key 'version'"),
        ("- a\n- b\n", "file: Input should be a valid dictionary"),
        (_minimal(version=2), "version: Input should be 1 (got 2)"),
        (
            _minimal(defaults={"partitions": 0, "replicas": 1}),
            "defaults.replicas: no such key",
        ),
        (_minimal(environments={"production": {}}), "kafka.environment is 'local', the file has production"),
        (_minimal(defaults={"partitions": 1}), "replication_factor is not set"),
    ],
)
def test_a_broken_file_is_explained(tmp_path, content, said):
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, content)
    assert said in str(caught.value)
    assert "topics.yaml" in str(caught.value)


def test_a_missing_file_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_definitions(KafkaSettings(), tmp_path / "none.yaml")


def test_a_merged_key_may_be_overridden(tmp_path):
    text = yaml.safe_dump(_minimal(), sort_keys=False)
    text = text.replace("  enriched: {}", "  enriched: &e\n    partitions: 2\n    description: one")
    text = text.replace("  alerts: {}", "  alerts:\n    <<: *e\n    description: two")
    loaded = _load(tmp_path, text)
    assert (loaded["alerts"].partitions, loaded["alerts"].description) == (2, "two")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("retention.ms", "90s", "90000"),
        ("retention.ms", "-1", "-1"),
        ("retention.ms", 5, "5"),
        ("max.message.bytes", "5MiB", "5242880"),
        ("preallocate", True, "true"),
        ("min.cleanable.dirty.ratio", 0.5, "0.5"),
    ],
)
def test_values_become_what_kafka_takes(name, value, expected):
    assert config_value(name, value) == expected


def test_values_are_shown_with_their_unit():
    assert readable("retention.ms", "259200000") == "259200000 (3d)"
    assert readable("max.message.bytes", "5242880") == "5242880 (5MiB)"
    assert readable("retention.ms", "-1") == "-1"
    assert readable("cleanup.policy", "delete") == "delete"
