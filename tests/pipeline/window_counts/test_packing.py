"""Counts travel together: nothing is lost on the way, each group stays in its partition, no message is too large."""

from types import SimpleNamespace

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.partitioner.default import DefaultPartitioner

from triage.pipeline.window_counts.packing import pack_counts, partitions_of_groups
from triage.schemas.counts import WindowCount, dimension_key

BROKERS_TAKE = 1_000_000


def count(partition, dimensions, start_ms=0):
    return WindowCount(
        window_start_ms=start_ms, window_ms=300_000, key=dimension_key(dimensions), dimensions=dimensions, negative=1,
        total=2, topic="feedback.complaints", partition=partition, first_offset=10 * partition, last_offset=99,
    )  # fmt: skip


VALUES = st.dictionaries(st.sampled_from(["brand", "intent"]), st.sampled_from(["a", "é", "三", ""]), max_size=2)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(count, st.integers(0, 2), VALUES, st.sampled_from([0, 300_000])), max_size=40))
def test_every_count_arrives_once_in_the_partition_of_its_group(counts):
    messages = list(pack_counts(counts, "brand", 6))
    arrived = [one for _, message in messages for one in message.each()]
    assert sorted(arrived, key=msgspec.json.encode) == sorted(counts, key=msgspec.json.encode)
    for partition, message in messages:
        groups = (one.dimensions.get("brand", "") for one in message.each())
        assert set(partitions_of_groups(groups, 6).values()) == {partition}
    assert len({(message.partition, partition) for partition, message in messages}) == len(messages)


def test_a_group_s_partition_is_that_of_a_message_with_its_key():
    cluster = SimpleNamespace(
        topics=lambda: {"t"}, partitions_for_topic=lambda _: {*range(6)}, available_partitions_for_topic=lambda _: ()
    )
    for group in ("", "Acme", "三"):
        key = group.encode()
        assert partitions_of_groups([group], 6)[group] == DefaultPartitioner().partition(
            "t", key, key, b"", b"", cluster
        )


def test_a_message_never_outgrows_what_brokers_take():
    counts = [count(0, {"product": f"{number:04d}" + "\x01" * 990}) for number in range(600)]
    messages = [message for _, message in pack_counts(counts, "brand", 1)]
    assert max(len(msgspec.json.encode(message)) for message in messages) < BROKERS_TAKE
    assert sum(len(message.counts) for message in messages) == len(counts)


def of_size(key_bytes, number):
    return [count(0, {"product": f"{n:04d}" + "x" * (key_bytes - len("product=") - 4)}) for n in range(number)]


def test_a_message_takes_twice_its_keys_and_a_hundred_bytes_each_up_to_128_kib():
    """A key of 1,000 bytes takes 2,100: 62 fit in 131,072 bytes. Of 462 bytes, 128 fit exactly."""
    sizes = [len(message.counts) for _, message in pack_counts(of_size(1_000, 125), "brand", 6)]
    assert sorted(sizes) == [1, 62, 62]
    assert [len(message.counts) for _, message in pack_counts(of_size(462, 128), "brand", 6)] == [128]
    assert [len(message.counts) for _, message in pack_counts(of_size(462, 129), "brand", 6)] == [128, 1]


def test_keys_are_measured_in_utf8():
    three_bytes = [count(0, {"product": f"{n:04d}" + "三" * 150}) for n in range(129)]
    assert [len(message.counts) for _, message in pack_counts(three_bytes, "brand", 6)] == [128, 1]
