"""Counts of a batch: grouping, missing values, and offset ranges that never overlap between batches."""

from hypothesis import given
from hypothesis import strategies as st

from triage.pipeline.window_counts.counting import CountedRecord, count_windows, window_start
from triage.types import Position

WINDOW_MS = 300_000
DIMENSIONS = [[], ["intent"], ["brand"], ["channel", "intent"]]


def record(offset, event_ms=0, *, partition=0, negative=True, topic="feedback.complaints", **dimensions):
    values = {"channel": "complaint", "intent": "delivery", "brand": None} | dimensions
    return CountedRecord(Position(topic, partition, offset), event_ms, values, negative)


def counts(messages):
    return {(m.topic, m.partition, m.window_start_ms, m.key): (m.negative, m.total) for m in messages}


def test_counts_per_window_key_and_partition():
    found = counts(
        count_windows(
            [
                record(0, 1_000),
                record(1, 299_999, negative=False),
                record(2, 300_000, intent="billing"),
                record(7, 5_000, partition=1),
            ],
            WINDOW_MS,
            DIMENSIONS,
        )
    )
    topic = "feedback.complaints"
    assert found[topic, 0, 0, ""] == (1, 2)
    assert found[topic, 0, 0, "intent=delivery"] == (1, 2)
    assert found[topic, 0, 300_000, "intent=billing"] == (1, 1)
    assert found[topic, 1, 0, "channel=complaint|intent=delivery"] == (1, 1)
    assert (topic, 0, 300_000, "intent=delivery") not in found


def test_a_missing_value_leaves_only_its_dimension_out():
    found = count_windows([record(0, brand=""), record(1, brand="Acme")], WINDOW_MS, DIMENSIONS)
    by_key = {message.key: message for message in found}
    assert by_key[""].total == 2
    assert by_key["brand=Acme"].total == 1
    assert by_key["brand=Acme"].dimensions == {"brand": "Acme"}
    assert not any(key == "brand=" for key in by_key)


def test_ranges_are_the_whole_batch_even_where_a_key_is_absent():
    batches = [
        [record(0, intent="billing"), record(1)],
        [record(2), record(3, intent="billing")],
    ]
    ranges = [
        {(m.first_offset, m.last_offset) for m in count_windows(batch, WINDOW_MS, DIMENSIONS)} for batch in batches
    ]
    assert ranges == [{(0, 1)}, {(2, 3)}]
    refused_too = count_windows([record(5)], WINDOW_MS, [[]], {("feedback.complaints", 0): (4, 9)})
    assert [(m.first_offset, m.last_offset) for m in refused_too] == [(4, 9)]


def test_windows_before_the_epoch_are_aligned_too():
    assert window_start(-1, WINDOW_MS) == -WINDOW_MS
    assert count_windows([], WINDOW_MS, DIMENSIONS) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(-(10**9), 10**12),
            st.booleans(),
            st.sampled_from(["delivery", "billing"]),
            st.sampled_from([None, "A|B", "A=B", "A"]),
        ),
        max_size=40,
    )
)
def test_nothing_is_lost_or_counted_twice(rows):
    offsets = {}
    records = []
    for partition, event_ms, negative, intent, brand in rows:
        offset = offsets[partition] = offsets.get(partition, -1) + 1
        records.append(record(offset, event_ms, partition=partition, negative=negative, intent=intent, brand=brand))
    messages = count_windows(records, WINDOW_MS, DIMENSIONS)
    assert len(counts(messages)) == len(messages), "one message per partition, window and key"
    for names in DIMENSIONS:
        of_dimension = [m for m in messages if sorted(m.dimensions) == sorted(names)]
        having = [r for r in records if all(r.dimensions.get(name) for name in names)]
        assert sum(m.total for m in of_dimension) == len(having)
        assert sum(m.negative for m in of_dimension) == sum(r.negative for r in having)
    for message in messages:
        assert message.window_start_ms % WINDOW_MS == 0
        assert 0 <= message.negative <= message.total
        assert (message.first_offset, message.last_offset) == (0, offsets[message.partition])
