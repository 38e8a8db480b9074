"""`triage alerter`: watch the window counts and tell people when negative feedback spikes."""

from typing import Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from


def command(
    instance: Annotated[
        str | None,
        typer.Option(help="Stable name of this process in the group [alerting.instance]", show_default=False),
    ] = None,
    health_port: Annotated[
        int | None, typer.Option(help="Port of /live /ready /metrics [alerting.health_port]", show_default=False)
    ] = None,
    prime: Annotated[
        str | None,
        typer.Option(
            metavar="TIME|FILE",
            show_default=False,
            help="Teach spike rules from the index's last 28d (or 4w, 72h), or from a backtest's CSV; pages nobody",
        ),
    ] = None,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Judge the workers' window counts by the alert rules; page, resolve and record.

    Several share the partitions of window-counts, each with its own --instance. SIGTERM ends it within seconds.
    """
    from triage import tracing
    from triage.alerting.app.process import Alerter
    from triage.alerting.engine.priming import parse_source
    from triage.logging import get_logger
    from triage.metrics import Metrics
    from triage.runtime.health import Health, HealthServer
    from triage.runtime.memory import release_large_blocks

    settings = settings_from(
        config,
        assignments,
        kafka__bootstrap_servers=bootstrap_servers,
        elasticsearch__url=elasticsearch,
        alerting__instance=instance,
        alerting__health_port=health_port,
    )
    stop_tracing = tracing.start(settings.tracing, "alerter")
    release_large_blocks()
    clock, metrics = settings.clock.build(), Metrics()
    health = Health(clock, {"alerter": settings.alerting.instance})
    alerter = Alerter(settings, clock, metrics, health, None if prime is None else parse_source(prime))
    server = HealthServer(health, metrics, settings.alerting.health_port) if settings.alerting.health_port else None
    if server:
        server.start()
    try:
        alerter.run()
    finally:
        if server:
            server.stop()
        stop_tracing()
    get_logger("triage.alerter").info("alerter_stopped")
