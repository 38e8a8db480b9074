"""Topics that lose records with one broker of a cluster are named before any is lost."""

import pytest

from triage.config import KafkaSettings
from triage.topics.definitions import TopicDefinition, load_definitions
from triage.topics.diff import Existing, compute_plan
from triage.topics.durability import durability_warnings


def topic(replication=3, minimum="2", **config):
    return TopicDefinition("t", "p.t", 3, replication, {"min.insync.replicas": minimum} | config)


def warned(*definitions, configs=None, internal=None, brokers=3):
    return durability_warnings(definitions, configs or {}, internal or {}, brokers)


def test_three_replicas_of_which_two_are_in_sync_are_durable():
    assert warned(topic(), internal={"__consumer_offsets": 3, "__transaction_state": 3}) == []


def test_the_topics_of_production_are_durable_and_those_of_local_on_a_cluster_are_named():
    assert warned(*load_definitions(KafkaSettings(environment="production"))) == []
    (local,) = warned(*load_definitions(KafkaSettings(environment="local")))
    assert local.startswith("feedback.complaints, feedback.reviews, ")
    assert "replication_factor 1 on a cluster of 3 brokers" in local
    assert "set kafka.environment" in local


@pytest.mark.parametrize("brokers", [1, None])
def test_a_single_broker_has_nothing_to_lose_to(brokers):
    assert warned(topic(1, "1"), internal={"__transaction_state": 1}, brokers=brokers) == []


@pytest.mark.parametrize(
    ("definition", "says"),
    [
        (topic(3, "1"), "p.t: min.insync.replicas 1: a record that only the leader has"),
        (topic(3, "3"), "p.t: min.insync.replicas equal to replication_factor: one broker that stops"),
        (topic(**{"unclean.leader.election.enable": "true"}), "p.t: unclean.leader.election.enable true"),
    ],
)
def test_a_definition_that_is_not_durable_is_named(definition, says):
    (warning,) = warned(definition)
    assert warning.startswith(says)


def test_what_the_brokers_set_themselves_is_read_too():
    configs = {"p.t": {"unclean.leader.election.enable": "true"}}
    (warning,) = warned(topic(), configs=configs)
    assert "set it to false" in warning
    assert warned(topic(**{"unclean.leader.election.enable": "false"}), configs=configs) == []


def test_the_plan_says_it_with_kafkas_own_topics():
    there = {"p.t": Existing(3, 3, {"min.insync.replicas": "2"})}
    plan = compute_plan([topic()], there, brokers=3, internal={"__transaction_state": 1, "__consumer_offsets": 3})
    assert plan.empty
    (warning,) = plan.warnings
    assert warning.startswith("__transaction_state: replication factor 1: workers stop when its broker does")
