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
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Judge the workers' window counts by the alert rules; page, resolve and record.

    Several share the partitions of window-counts, each with its own --instance. SIGTERM ends it within seconds.
    """
    from triage.alerting.run import Alerter
    from triage.logging import get_logger
    from triage.metrics import Metrics
    from triage.pipeline.health import Health, HealthServer

    settings = settings_from(
        config,
        assignments,
        kafka__bootstrap_servers=bootstrap_servers,
        elasticsearch__url=elasticsearch,
        alerting__instance=instance,
        alerting__health_port=health_port,
    )
    clock, metrics = settings.clock.build(), Metrics()
    health = Health(clock, {"alerter": settings.alerting.instance})
    alerter = Alerter(settings, clock, metrics, health)
    server = HealthServer(health, metrics, settings.alerting.health_port) if settings.alerting.health_port else None
    if server:
        server.start()
    try:
        alerter.run()
    finally:
        if server:
            server.stop()
    get_logger("triage.alerter").info("alerter_stopped")
