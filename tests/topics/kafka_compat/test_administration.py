"""Responses about the cluster that the library cannot read."""

from types import SimpleNamespace

from triage.topics.kafka_compat import broker_count


def test_a_broker_that_knows_only_the_first_describe_cluster_has_no_count():
    def describe_cluster():
        raise KeyError("endpoint_type")

    assert broker_count(SimpleNamespace(describe_cluster=describe_cluster)) is None
    assert broker_count(SimpleNamespace(describe_cluster=lambda: {"brokers": [{}, {}]})) == 2
