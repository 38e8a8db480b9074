"""The protocols say what kafka-python has: its methods, and the names and defaults of their parameters."""

import inspect

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.consumer.fetcher import ConsumerRecord
from kafka.producer.future import FutureRecordMetadata

from triage.topics import kafka_types as types
from triage.topics.kafka_compat import BoundedProducer, CooperativeConsumer

PAIRS = [
    (types.Consumer, KafkaConsumer),
    (types.GroupConsumer, CooperativeConsumer),
    (types.Producer, KafkaProducer),
    (types.TransactionalProducer, BoundedProducer),
    (types.Admin, KafkaAdminClient),
    (types.RecordFuture, FutureRecordMetadata),
]


def methods(protocol):
    return {
        name: member
        for base in protocol.__mro__
        if getattr(base, "_is_protocol", False)
        for name, member in vars(base).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


@pytest.mark.parametrize(
    ("protocol", "actual", "name"),
    [(protocol, actual, name) for protocol, actual in PAIRS for name in methods(protocol)],
)
def test_every_call_that_the_protocol_allows_is_possible(protocol, actual, name):
    found = inspect.signature(getattr(actual, name)).parameters
    for position, parameter in enumerate(inspect.signature(methods(protocol)[name]).parameters.values()):
        if parameter.kind is parameter.VAR_POSITIONAL:
            assert any(each.kind is each.VAR_POSITIONAL for each in found.values())
            continue
        assert parameter.name in found, f"{actual.__name__}.{name} has no parameter {parameter.name}"
        if parameter.kind is not parameter.KEYWORD_ONLY:
            assert list(found)[position] == parameter.name
        if parameter.default is not parameter.empty:
            assert found[parameter.name].default is not parameter.empty


def test_a_record_has_the_fields_of_its_protocol():
    fields = {name for name, member in vars(types.ConsumerRecord).items() if isinstance(member, property)}
    assert fields <= set(ConsumerRecord._fields)


def test_the_tuples_are_those_of_the_library():
    assert types.TopicPartition._fields == ("topic", "partition")
    assert types.OffsetAndMetadata(5) == (5, "", -1)
    assert types.GroupMetadata("g")[:4] == ("g", -1, "", None)
