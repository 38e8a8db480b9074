"""`triage plan`: how many partitions, workers, cores, GPUs and nodes a rate of records needs."""

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

# Of the sample feed: half a minute on two cores.
_RECORDS = 2_000


def command(
    rate: Annotated[str, typer.Option(help="Records a second at the peak, as 800, 100k or 1M")] = "1k",
    latency: Annotated[str, typer.Option(help="From produced to searchable for 95 of 100, as 500ms or 2s")] = "500ms",
    average: Annotated[str | None, typer.Option(help="Records a second over the day [default: the peak]")] = None,
    costs: Annotated[Path | None, typer.Option(help="Costs of a record, a file of --measure")] = None,
    measure: Annotated[Path | None, typer.Option(help="Measure this machine with the served model into a file")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="The model runs on GPUs")] = False,
    load: Annotated[float, typer.Option(help="Share of its capacity that each is to carry at the peak")] = 0.7,
    worker_cores: Annotated[int, typer.Option(help="Cores of a worker, without GPUs")] = 2,
    index_days: Annotated[int | None, typer.Option(help="Days in the index [elasticsearch.retention_days]")] = None,
    node_disk_gib: Annotated[float, typer.Option(help="Disk of a node of Elasticsearch")] = 2_000,
    cost: Annotated[
        list[str] | None, typer.Option("--cost", metavar="NAME=VALUE", help="One cost, as pipe_us=90; may be repeated")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object")] = False,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Size a fleet from the costs of one record. docs/capacity.md has the formulas."""
    import msgspec

    from triage.sizing.capacity import Costs, Demand, size
    from triage.sizing.costs import read_costs

    settings = settings_from(config, assignments)
    wanted = rate_of("rate", rate)
    if measure is not None:
        found = _measured(settings)
        measure.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    else:
        found = read_costs(costs) if costs else Costs()
    demand = Demand(
        rate=wanted,
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
        ("workers", f"{fleet.workers:,}  ({fleet.worker_rate:,.0f} records/s each at most)"),
        ("cores", f"{fleet.cores:,}"),
        ("GPUs", f"{fleet.gpus:,}"),
        ("Elasticsearch nodes", f"{fleet.index_nodes:,}"),
        ("Elasticsearch a day", f"{fleet.index_gib_a_day:,.1f} GiB with {demand.index_replicas} replicas"),
        (f"Elasticsearch, {demand.index_days} days", f"{fleet.index_gib:,.0f} GiB"),
        ("Kafka's disks", f"{fleet.kafka_gib:,.1f} GiB with {demand.kafka_replicas} copies"),
        ("network of the workers", f"{fleet.network_mib_s:,.1f} MiB/s"),
        ("latency, 95 of 100", f"{fleet.latency_ms:,.0f} ms"),
        ("costs", found.source),
    ):
        typer.echo(f"{name:<26} {value}")


def rate_of(name: str, text: str) -> float:
    """Records a second of `800`, `100k` or `1M`. Raises ConfigError."""
    from triage.errors import ConfigError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kKmM]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise ConfigError(f"{name} is {text!r}; give records a second, as 800, 100k or 1M")
    return float(match[1]) * {"": 1, "k": 1e3, "m": 1e6}[match[2].lower()]


def milliseconds_of(text: str) -> float:
    """Of `500ms` or `2s`. Raises ConfigError."""
    from triage.errors import ConfigError

    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise ConfigError(f"latency is {text!r}; give it as 500ms or 2s")
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
            problems.append(f"--cost {name}: no such cost; there are {', '.join(sorted(values.keys() - {'source'}))}")
            continue
        try:
            values[name] = float(text)
        except ValueError:
            problems.append(f"--cost {name} is {text!r}; give a number")
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
