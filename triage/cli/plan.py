"""`triage plan`: computes the partitions, workers, cores, GPUs and nodes for a rate of records."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.config import Settings
    from triage.sizing.capacity import Costs

# Records of the sample feed to measure with: half a minute on two cores.
_RECORDS = 2_000


def command(
    rate: Annotated[str, typer.Option(help="Records per second at the peak, e.g. 800, 100k or 1M")] = "1k",
    latency: Annotated[
        str, typer.Option(help="95th percentile of the time from produced to searchable, e.g. 500ms or 2s")
    ] = "500ms",
    average: Annotated[str | None, typer.Option(help="Records per second on average [default: the peak]")] = None,
    costs: Annotated[Path | None, typer.Option(help="File of costs per record, written by --measure")] = None,
    measure: Annotated[
        Path | None, typer.Option(help="Measure the serving model on this machine, and write the costs to this file")
    ] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Run the model on GPUs")] = False,
    load: Annotated[float, typer.Option(help="Target load at the peak, as a share of the capacity")] = 0.7,
    worker_cores: Annotated[int, typer.Option(help="Cores per worker, without GPUs")] = 2,
    index_days: Annotated[
        int | None, typer.Option(help="Days kept in the index [elasticsearch.retention_days]")
    ] = None,
    node_disk_gib: Annotated[float, typer.Option(help="Disk of an Elasticsearch node in GiB")] = 2_000,
    cost: Annotated[
        list[str] | None,
        typer.Option("--cost", metavar="NAME=VALUE", help="Override one cost, e.g. pipe_us=90; may be repeated"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Compute partitions, workers, cores, GPUs, nodes and storage for a rate of records, from the costs of one record.

    docs/capacity.md has the formulas.
    """
    import msgspec

    from triage.sizing.capacity import Costs, Demand, size
    from triage.sizing.costs import read_costs

    settings = settings_from(config, assignments)
    peak_rate = rate_of("rate", rate)
    if measure is not None:
        found = _measured(settings)
        measure.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    else:
        found = read_costs(costs) if costs else Costs()
    demand = Demand(
        rate=peak_rate,
        latency_ms=milliseconds_of(latency),
        average=None if average is None else rate_of("average", average),
        load=load,
        gpu=gpu,
        worker_cores=worker_cores,
        wait_ms=settings.worker.batch_wait_ms,
        target_ms=settings.worker.batch_target_ms,
        index_replicas=settings.elasticsearch.replicas,
        index_days=index_days or settings.elasticsearch.retention_days,
        node_disk_gib=node_disk_gib,
    )
    found = _with(found, cost or [])
    fleet = size(demand, found)
    if as_json:
        typer.echo(json.dumps({"demand": msgspec.to_builtins(demand), "costs": msgspec.to_builtins(found),
                               "fleet": asdict(fleet)}, indent=2))  # fmt: skip
        return
    for name, value in (
        ("partitions of raw topics", f"{fleet.partitions:,}"),
        ("workers", f"{fleet.workers:,}  ({fleet.worker_rate:,.0f} records/s each, maximum)"),
        ("cores", f"{fleet.cores:,}"),
        ("GPUs", f"{fleet.gpus:,}"),
        ("Elasticsearch nodes", f"{fleet.index_nodes:,}"),
        ("Elasticsearch per day", f"{fleet.index_gib_a_day:,.1f} GiB with {demand.index_replicas} replicas"),
        (f"Elasticsearch, {demand.index_days} days", f"{fleet.index_gib:,.0f} GiB"),
        ("Kafka disks", f"{fleet.kafka_gib:,.1f} GiB with {demand.kafka_replicas} copies"),
        ("worker network", f"{fleet.network_mib_s:,.1f} MiB/s"),
        ("latency, 95th percentile", f"{fleet.latency_ms:,.0f} ms"),
        ("costs", found.source),
    ):
        typer.echo(f"{name:<26} {value}")


def rate_of(name: str, text: str) -> float:
    """Parse records per second: `800`, `100k` or `1M`. Raises ConfigError, naming the option `name`, for other text."""
    from triage.errors import ConfigError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmM]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise ConfigError(f"--{name} {text!r} is not a rate; give records per second, e.g. 800, 100k or 1M")
    return float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()]


def milliseconds_of(text: str) -> float:
    """Parse `500ms` or `2s` to milliseconds. Raises ConfigError for other text."""
    from triage.errors import ConfigError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise ConfigError(f"--latency {text!r} is not a duration; give e.g. 500ms or 2s")
    return float(match[1]) * (1000 if match[2] == "s" else 1)


def _with(costs: "Costs", assignments: list[str]) -> "Costs":
    import msgspec

    from triage.errors import ConfigError
    from triage.sizing.capacity import Costs

    values = msgspec.to_builtins(costs)
    problems = []
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in values or name == "source":
            problems.append(
                f"--cost {name}: no such cost; known costs: {', '.join(sorted(values.keys() - {'source'}))}"
            )
            continue
        try:
            values[name] = float(text)
        except ValueError:
            problems.append(f"--cost {name}={text}: the value is not a number")
    if problems:
        raise ConfigError(problems)
    return msgspec.convert(values, Costs)


def _measured(settings: "Settings") -> "Costs":
    from datetime import UTC, datetime

    from triage.local.feed import load_feed
    from triage.sizing.costs import measure_costs

    clock = settings.clock.build()
    payloads = [item.payload for item in load_feed().schedule(datetime(2026, 1, 1, tzinfo=UTC))][:_RECORDS]
    return measure_costs(settings, payloads, clock)
