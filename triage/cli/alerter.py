"""`triage alerter`: evaluates the workers' window counts and sends notifications when negative feedback spikes."""

from typing import Annotated

import typer

from triage.cli.common import (
    ConfigOption,
    ElasticsearchOption,
    KafkaOption,
    SetOption,
    settings_from,
    warn_of_clear_text,
)

app = typer.Typer(invoke_without_command=True)


@app.callback()
def run(
    context: typer.Context,
    instance: Annotated[
        str | None,
        typer.Option(
            help="Name of this process in the group, the same over restarts [alerting.instance]", show_default=False
        ),
    ] = None,
    health_port: Annotated[
        int | None, typer.Option(help="Port of /live, /ready and /metrics [alerting.health_port]", show_default=False)
    ] = None,
    prime: Annotated[
        str | None,
        typer.Option(
            metavar="TIME|FILE",
            show_default=False,
            help="Fill the baselines of spike rules from the index's last 28d (or 4w, 72h), or from a backtest's CSV; "
            "sends no notifications",
        ),
    ] = None,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Evaluate the alert rules on the workers' window counts; notify, resolve and record alerts.

    Several alerters share the partitions of window-counts, each with its own --instance. SIGTERM stops one within
    seconds.
    """
    if context.invoked_subcommand is not None:
        return
    from triage import tracing
    from triage.alerting.app.process import Alerter
    from triage.alerting.engine.priming import parse_source
    from triage.logging import get_logger
    from triage.metrics import Metrics
    from triage.runtime.health import Health, HealthServer, require_free_port
    from triage.runtime.memory import release_large_blocks
    from triage.runtime.watchdog import Watchdog

    settings = settings_from(
        config,
        assignments,
        kafka__bootstrap_servers=bootstrap_servers,
        elasticsearch__url=elasticsearch,
        alerting__instance=instance,
        alerting__health_port=health_port,
    )
    warn_of_clear_text(settings, "kafka", "elasticsearch", "alerting", "tracing")
    require_free_port(settings.alerting.health_port, "alerting.health_port")
    stop_tracing = tracing.start(settings.tracing, "alerter")
    release_large_blocks()
    clock, metrics = settings.clock.build(), Metrics()
    limits = settings.worker
    health = Health(clock, {"alerter": settings.alerting.instance}, stuck_after_s=limits.stuck_after_s)
    alerter = Alerter(settings, clock, metrics, health, None if prime is None else parse_source(prime))
    server = HealthServer(health, metrics, settings.alerting.health_port) if settings.alerting.health_port else None
    # Its event loop moves also while it waits for Kafka.
    metrics.seconds_since_progress.set_function(alerter.seconds_since_progress)
    if server:
        server.start()
    try:
        with Watchdog(health, clock, limits.stuck_after_s, limits.stuck_exit_s):
            alerter.run()
    finally:
        if server:
            server.stop()
        stop_tracing()
    get_logger("triage.alerter").info("alerter_stopped")


@app.command()
def skip(
    position: Annotated[
        str,
        typer.Argument(metavar="POSITION", help="topic/partition/offset of the batch, as /ready says"),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be skipped")] = False,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Skip a batch of window counts that can't be read and blocks its partition; a dead letter describes it.

    The alerter continues after it within seconds. The counts in the batch are not evaluated.
    """
    from triage.cli.worker import skip_batch
    from triage.pipeline.dead_letters.skip import Readers

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    skip_batch(settings, position, Readers.alerters(settings), dry_run=dry_run)
