from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2

from triage.topics.partitioning import partitions_of


@given(st.lists(st.binary(max_size=70), max_size=40), st.integers(1, 200))
def test_every_key_goes_where_kafkas_default_partitioner_puts_it(keys, partitions):
    assert partitions_of(keys, partitions) == [(murmur2(key) & 0x7FFFFFFF) % partitions for key in keys]


def test_the_java_clients_own_examples():
    """Hashes of org.apache.kafka.common.utils.UtilsTest, as partitions of 2**31 - 1 and few."""
    hashes = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536, b"abc": 479470107}
    expected = [(value & 0x7FFFFFFF) % 12 for value in hashes.values()]
    assert partitions_of(list(hashes), 12) == expected
