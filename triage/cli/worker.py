"""`triage worker`: consume, enrich, index and publish until told to stop."""

from typing import Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from


def command(
    slot: Annotated[str | None, typer.Option(help="Stable name of this process in the fleet [worker.slot]")] = None,
    health_port: Annotated[int | None, typer.Option(help="Port of /live /ready /metrics [worker.health_port]")] = None,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Consume raw feedback, enrich it, write it to Elasticsearch and the enriched topic.

    Start as many as there are partitions, each with its own --slot. SIGTERM finishes the batch in hand.
    """
    from triage.logging import get_logger
    from triage.metrics import Metrics
    from triage.pipeline.assemble import build_worker
    from triage.pipeline.health import HealthServer
    from triage.pipeline.shutdown import stop_on_signals

    settings = settings_from(
        config,
        assignments,
        kafka__bootstrap_servers=bootstrap_servers,
        elasticsearch__url=elasticsearch,
        worker__slot=slot,
        worker__health_port=health_port,
    )
    log = get_logger("triage.worker")
    metrics = Metrics()
    worker, health = build_worker(settings, settings.clock.build(), metrics)
    server = None
    if settings.worker.health_port:
        server = HealthServer(health, metrics, settings.worker.health_port)
        server.start()
    stop_on_signals(worker.stop, settings.worker.drain_timeout_s)
    _, about = health.ready()
    log.info("worker_started", **about)
    try:
        worker.run()
    finally:
        if server:
            server.stop()
    log.info("worker_drained")
