"""The size of a fleet follows from the costs of a record."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.config import KafkaSettings
from triage.errors import ConfigError
from triage.sizing.capacity import Costs, Demand, latency_of, size
from triage.topics.definitions import load_definitions

COSTS = Costs(pipe_us=100, model_us=1_800, document_bytes=1_000, index_per_node=10_000)


def test_by_hand():
    # 100 us around the model and 900 us of it on two cores: 1,000 a second; 70 % of that is 700.
    fleet = size(Demand(rate=7_000, index_replicas=1, index_days=10, average=1_000), COSTS)
    assert fleet.worker_rate == pytest.approx(1_000)
    assert (fleet.workers, fleet.cores, fleet.gpus) == (10, 20, 0)
    assert fleet.partitions == 24
    assert fleet.index_gib_a_day == pytest.approx(1_000 * 86_400 * 1_000 * 2 / 2**30)
    assert fleet.index_gib == pytest.approx(10 * fleet.index_gib_a_day)
    assert fleet.index_nodes == 2
    kept = COSTS.raw_bytes * 3 + COSTS.enriched_bytes * 30 + COSTS.count_bytes * 2
    assert fleet.kafka_gib == pytest.approx(1_000 * 86_400 * kept * 3 / 2**30)


def test_days_in_kafka_are_those_of_the_topics():
    kept_ms = {
        topic.name: int(topic.config["retention.ms"])
        for topic in load_definitions(KafkaSettings())
        if "retention.ms" in topic.config
    }
    demand = Demand(rate=1)
    for name, days in (
        ("complaints", demand.raw_days),
        ("enriched", demand.enriched_days),
        ("window-counts", demand.count_days),
    ):
        assert kept_ms[name] == days * 86_400_000


def test_a_gpu_is_shared_by_the_processes_that_keep_it_busy():
    fleet = size(Demand(rate=70_000, gpu=True), Costs(pipe_us=100, gpu_us=25))
    assert fleet.worker_rate == pytest.approx(8_000)
    assert (fleet.workers, fleet.gpus) == (13, 3)
    assert fleet.cores == 13


@given(st.floats(1, 1e6), st.floats(1.01, 10), st.booleans())
def test_more_records_never_need_less(rate, times, gpu):
    small, large = (size(Demand(rate=asked, gpu=gpu), COSTS) for asked in (rate, rate * times))
    for name in ("workers", "cores", "gpus", "partitions", "index_nodes", "kafka_gib", "network_mib_s"):
        assert getattr(large, name) >= getattr(small, name)
    assert small.workers * small.worker_rate * 0.7 >= rate * 0.999
    assert small.partitions >= 2 * small.workers or small.partitions >= 3
    assert math.isclose(small.latency_ms, large.latency_ms)


def test_a_latency_below_that_of_the_dependencies_is_refused_with_what_would_help():
    with pytest.raises(ConfigError, match=r"worker\.batch_wait_ms \(100\).*bulk request \(30 ms\)"):
        size(Demand(rate=1_000, latency_ms=100), COSTS)
    assert size(Demand(rate=1_000, latency_ms=100, wait_ms=10), Costs(store_ms=20, commit_ms=20)).latency_ms < 100


def test_latency_grows_with_the_wait_and_the_load():
    assert latency_of(Demand(rate=1, wait_ms=50), COSTS, 1_000) < latency_of(Demand(rate=1), COSTS, 1_000)
    assert latency_of(Demand(rate=1, load=0.3), COSTS, 1_000) < latency_of(Demand(rate=1, load=0.9), COSTS, 1_000)


def test_every_figure_that_cannot_be_is_named():
    with pytest.raises(ConfigError) as refused:
        size(Demand(rate=0, load=1.0), Costs(pipe_us=-1))
    for name in ("rate is 0", "load is 1", "pipe_us is -1"):
        assert name in str(refused.value)
