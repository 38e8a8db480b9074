"""`triage worker`: consumes, enriches, indexes and publishes records."""

from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import (
    ConfigOption,
    ElasticsearchOption,
    KafkaOption,
    SetOption,
    settings_from,
    warn_of_clear_text,
)
from triage.config import Settings
from triage.errors import ConfigError

if TYPE_CHECKING:
    from triage.pipeline.dead_letters.skip import Readers

app = typer.Typer(invoke_without_command=True)


@app.callback()
def run(
    context: typer.Context,
    slot: Annotated[
        str | None, typer.Option(help="Name of this process in the fleet, the same over restarts [worker.slot]")
    ] = None,
    health_port: Annotated[
        int | None, typer.Option(help="Port of /live, /ready and /metrics [worker.health_port]")
    ] = None,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Consume raw feedback, enrich it, write it to Elasticsearch and the enriched topic.

    Start at most one worker per partition, each with its own --slot. SIGTERM completes the batches in flight. A
    promoted model and changed rules are loaded between two batches, on SIGHUP at once.
    """
    if context.invoked_subcommand is not None:
        return
    from triage import tracing
    from triage.cli.own_intents import own_intents
    from triage.logging import get_logger
    from triage.metrics import Metrics
    from triage.pipeline.assemble import build_worker
    from triage.pipeline.stages.reload import reload_on_hangup
    from triage.runtime.health import HealthServer, require_free_port
    from triage.runtime.memory import collect_seldom, release_large_blocks
    from triage.runtime.shutdown import stop_on_signals

    settings = settings_from(
        config,
        assignments,
        kafka__bootstrap_servers=bootstrap_servers,
        elasticsearch__url=elasticsearch,
        worker__slot=slot,
        worker__health_port=health_port,
    )
    warn_of_clear_text(settings, "kafka", "elasticsearch", "tracing")
    require_free_port(settings.worker.health_port, "worker.health_port")
    log = get_logger("triage.worker")
    release_large_blocks()
    collect_seldom()
    stop_tracing = tracing.start(settings.tracing, "worker")
    metrics = Metrics()
    parts = build_worker(settings, settings.clock.build(), metrics, own_intents=own_intents(settings))
    worker, health = parts.worker, parts.health
    server = None
    if settings.worker.health_port:
        server = HealthServer(health, metrics, settings.worker.health_port)
        server.start()
    stop_on_signals(worker.stop, settings.worker.drain_timeout_s)
    reload_on_hangup(parts.reloader.request)
    parts.watchdog.start()
    _, about = health.ready()
    log.info("worker_started", **about)
    try:
        worker.run()
    finally:
        parts.close()
        if server:
            server.stop()
        stop_tracing()
    log.info("worker_drained")


@app.command()
def skip(
    position: Annotated[
        str, typer.Argument(metavar="POSITION", help="topic/partition/offset of the batch, as the worker's /ready says")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be skipped")] = False,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Skip a batch that can't be read and blocks its partition; a dead letter describes it.

    The workers continue after it within seconds, as does `triage serve` after one of the topic `turns`. Once the batch
    can be read, `triage replay` enriches its records.
    """
    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    skip_batch(settings, position, None, dry_run=dry_run)


def skip_batch(settings: Settings, position: str, readers: "Readers | None", *, dry_run: bool) -> None:
    """Skip the batch at `position` (topic/partition/offset) for the consumers `readers`, and print what was skipped.

    By default, these are the consumer group that reads the topic. With `dry_run` the batch is only printed.
    """
    from triage.pipeline.dead_letters.origin_headers import parse_position
    from triage.pipeline.dead_letters.skip import skip as skip_for

    try:
        place = parse_position(position)
    except ValueError:
        raise ConfigError(f"not topic/partition/offset: {position!r}") from None
    batch = skip_for(settings, settings.clock.build(), place, readers=readers, dry_run=dry_run)
    verb = "would skip" if dry_run else "skipped"
    typer.echo(f"{verb} offsets {batch.offset} to {batch.next_offset - 1} of {batch.topic}/{batch.partition}: {batch}")
