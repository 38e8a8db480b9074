"""The lag that a worker reports is that of the partitions it has."""

from triage.config import AlertingSettings, KafkaSettings
from triage.metrics import Metrics
from triage.pipeline.batch import Batch
from triage.pipeline.memory_source import MemorySource
from triage.pipeline.publisher import Publisher
from triage.pipeline.source import PartitionState
from triage.pipeline.window_counts.watermarks import PartitionWatermarks


def test_a_partition_that_moved_away_is_no_longer_reported(clock):
    metrics, source = Metrics(), MemorySource()
    publisher = Publisher(KafkaSettings(), AlertingSettings(), PartitionWatermarks(clock), metrics, clock)

    def lag(partition):
        labels = {"topic": "feedback.reviews", "partition": str(partition)}
        return metrics.registry.get_sample_value("triage_consumer_lag", labels)

    for partition in (0, 1, 1):
        source.append("feedback.reviews", b"{}", timestamp_ms=clock.now_ms(), partition=partition)
    publisher.publish(source, Batch([]))
    assert (lag(0), lag(1)) == (1, 2)
    del source.logs["feedback.reviews", 1]
    publisher.publish(source, Batch([]))
    assert (lag(0), lag(1)) == (1, None)


class MarkedSource(MemorySource):
    """A transaction marker follows the records of each partition, as after a replay of dead letters."""

    def partitions(self):
        return {
            where: PartitionState(state.position + (state.lag == 0), state.end + 1)
            for where, state in super().partitions().items()
        }


def test_what_is_no_record_is_passed_with_the_records_before_it(clock):
    source = MarkedSource()
    publisher = Publisher(KafkaSettings(), AlertingSettings(), PartitionWatermarks(clock), Metrics(), clock)
    for value in (b"1", b"2", b"3"):
        source.append("feedback.reviews", value, timestamp_ms=clock.now_ms())
    first, last = source.poll(0, 2), source.poll(0, 2)
    publisher.publish(source, Batch(first), {("feedback.reviews", 0): 2})
    assert source.committed == {("feedback.reviews", 0): 2}
    publisher.publish(source, Batch(last), {})
    assert source.committed == {("feedback.reviews", 0): 4}


def test_what_comes_behind_the_last_record_is_passed_by_an_idle_worker(clock):
    source = MemorySource()
    publisher = Publisher(KafkaSettings(), AlertingSettings(), PartitionWatermarks(clock), Metrics(), clock)
    source.append("feedback.reviews", b"1", timestamp_ms=clock.now_ms())
    publisher.publish(source, Batch(source.poll(0, 2)), {})
    assert source.committed == {("feedback.reviews", 0): 1}
    marked = MarkedSource()
    marked.__dict__.update(source.__dict__)
    publisher.publish(marked, Batch([]), {})
    assert marked.committed == {("feedback.reviews", 0): 2}
    commits = marked.transactions
    publisher.publish(marked, Batch([]), {})
    assert marked.transactions == commits
