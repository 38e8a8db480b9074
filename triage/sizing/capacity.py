"""Computes the size of a fleet (partitions, workers, cores, GPUs, nodes, storage) from the cost of a record.

Pure functions; docs/capacity.md explains the formulas.
"""

import math
from dataclasses import dataclass

import msgspec

from triage.errors import ConfigError

DAY_S = 86_400
_GIB = 2**30
# Elasticsearch assigns no shards to a node whose disk is above its low watermark.
_DISK_SHARE = 0.85


class Costs(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Costs of one record: microseconds of a core or GPU (`_us`), bytes, and milliseconds of requests (`_ms`).

    `source` says how they were measured. The defaults are from docs/performance.md, docs/performance-pipeline.md and
    the benchmark of the console.
    """

    pipe_us: float = 195.0  # processor time of one core for all but the model, Kafka's client included
    model_us: float = 4_200.0  # of one core for the model, without a GPU
    gpu_us: float = 100.0  # of one GPU for the model
    raw_bytes: float = 290.0
    enriched_bytes: float = 1_010.0
    count_bytes: float = 150.0  # window counts, per record
    document_bytes: float = 720.0  # disk in Elasticsearch, without replicas
    index_per_node: float = 15_000.0  # documents a second of a node of Elasticsearch; each replica counts as one
    store_ms: float = 30.0  # one bulk request
    commit_ms: float = 40.0  # one transaction
    source: str = (
        "measured on two cores of an Intel Xeon with AMX, GPU and counts estimated; for your own: "
        "`triage plan --measure FILE`"
    )


class Demand(msgspec.Struct, kw_only=True):
    """Requirements on a fleet: `rate` in records per second at the peak, `latency_ms` as 95th percentile.

    `average` is in records per second over a day; None: the same as `rate`.
    """

    rate: float
    latency_ms: float = 500.0
    average: float | None = None
    load: float = 0.7  # share of the capacity of a worker or node to use at the peak
    gpu: bool = False
    worker_cores: int = 2
    wait_ms: float = 100.0  # worker.batch_wait_ms
    target_ms: float = 1_000.0  # worker.batch_target_ms
    index_replicas: int = 1
    index_days: int = 180
    # As in topics/topics.yaml. Kafka keeps only the last enriched record of each key, so this is an upper bound.
    raw_days: float = 3.0
    enriched_days: float = 30.0
    count_days: float = 2.0
    kafka_replicas: int = 3
    node_disk_gib: float = 2_000.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """The computed size of a fleet.

    `worker_rate` is the maximum number of records per second of one worker, `latency_ms` the estimated 95th percentile
    from produced to searchable at `Demand.load`; storage includes replicas.
    """

    worker_rate: float
    workers: int
    cores: int
    gpus: int
    partitions: int
    latency_ms: float
    index_nodes: int
    index_gib_a_day: float
    index_gib: float
    kafka_gib: float
    network_mib_s: float


def size(demand: Demand, costs: Costs) -> Fleet:
    """Compute the fleet that meets the demand.

    Raises ConfigError for values out of range, and for a latency that no number of workers can reach.
    """
    _check(demand, costs)
    rate_of_worker, workers, gpus = _workers(demand, costs)
    latency_ms = latency_of(demand, costs, rate_of_worker)
    if latency_ms > demand.latency_ms:
        raise ConfigError(
            f"latency is {demand.latency_ms:g} ms; at {demand.load:.0%} load 95 of 100 take {latency_ms:.0f} ms "
            f"however many workers there are: lower worker.batch_wait_ms ({demand.wait_ms:g}) or --load, or make the "
            f"bulk request ({costs.store_ms:g} ms) or the transaction ({costs.commit_ms:g} ms) faster"
        )
    average = demand.rate if demand.average is None else demand.average
    index_gib_a_day = average * DAY_S * costs.document_bytes * (1 + demand.index_replicas) / _GIB
    index_gib = index_gib_a_day * demand.index_days
    written = demand.rate * (1 + demand.index_replicas)
    nodes = max(
        math.ceil(written / (costs.index_per_node * demand.load)),
        math.ceil(index_gib / (demand.node_disk_gib * _DISK_SHARE)),
        1 + demand.index_replicas,
    )
    retained = (
        costs.raw_bytes * demand.raw_days
        + costs.enriched_bytes * demand.enriched_days
        + costs.count_bytes * demand.count_days
    )
    # Raw in, enriched out to the topic and to Elasticsearch, without copies between brokers or nodes.
    bytes_per_record = costs.raw_bytes + 2 * costs.enriched_bytes + costs.count_bytes
    return Fleet(
        worker_rate=rate_of_worker,
        workers=workers,
        cores=workers * (1 if demand.gpu else demand.worker_cores),
        gpus=gpus,
        partitions=_round_up(2 * workers),
        latency_ms=latency_ms,
        index_nodes=nodes,
        index_gib_a_day=index_gib_a_day,
        index_gib=index_gib,
        kafka_gib=average * DAY_S * retained * demand.kafka_replicas / _GIB,
        network_mib_s=demand.rate * bytes_per_record / 2**20,
    )


def latency_of(demand: Demand, costs: Costs, rate_of_worker: float) -> float:
    """Estimate the 95th percentile, in ms, of the time from produced to searchable and committed, at `Demand.load`.

    A record waits for its batch to begin, `wait_ms` at most (less if the batch fills up earlier), and for the rest of
    the batch being processed. Then its own batch is processed, stored and committed. A batch of `wait_ms` holds the
    share `load` of the records that could be processed in that time.
    """
    work_ms = min(demand.load * demand.wait_ms, demand.target_ms)
    per_record_ms = 1000 / rate_of_worker
    return 0.95 * demand.wait_ms + 2 * work_ms * demand.load + per_record_ms + costs.store_ms + costs.commit_ms


def _workers(demand: Demand, costs: Costs) -> tuple[float, int, int]:
    """Records per second of one worker, number of workers, and number of GPUs."""
    capacity = demand.rate / demand.load
    if not demand.gpu:
        # The model uses all cores of the worker; everything else is Python, on one thread.
        rate = 1e6 / (costs.pipe_us + costs.model_us / demand.worker_cores)
        return rate, math.ceil(capacity / rate), 0
    gpus = math.ceil(capacity * costs.gpu_us / 1e6)
    # While a worker does everything else, the GPU computes for another worker.
    rate = 1e6 / (costs.pipe_us + costs.gpu_us)
    return rate, max(math.ceil(capacity / rate), gpus), gpus


def _check(demand: Demand, costs: Costs) -> None:
    problems = [
        f"{name} is {value:g}; it must be above 0"
        for name, value in {**msgspec.structs.asdict(demand), **msgspec.structs.asdict(costs)}.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value <= 0 and name != "index_replicas"
    ]
    if demand.load >= 1:
        problems.append(f"load is {demand.load:g}; at 1 and above queues grow without end, 0.7 is usual")
    if problems:
        raise ConfigError(problems)


def _round_up(partitions: int) -> int:
    """Round up to a number with many divisors, so that fleets of several sizes share the partitions evenly."""
    step = 6 if partitions <= 60 else 12 if partitions <= 240 else 60
    return max(3, math.ceil(partitions / step) * step)
