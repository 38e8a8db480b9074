"""`triage serve`: serves the HTTP API."""

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


def command(
    host: Annotated[str | None, typer.Option(help="Address to listen on [api.host]", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [api.port]", show_default=False)] = None,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Serve the HTTP API: enrich records, send feedback to the topics, correct labels.

    Documented at /docs and in /openapi.json; also serves /live, /ready and /metrics. On an address other than
    127.0.0.1 it needs api.tokens or api.proxy_login.
    """
    settings = settings_from(
        config,
        assignments,
        api__host=host,
        api__port=port,
        kafka__bootstrap_servers=bootstrap_servers,
        elasticsearch__url=elasticsearch,
    )
    warn_of_clear_text(settings, "kafka", "elasticsearch", "tracing")
    from triage.runtime.memory import release_large_blocks
    from triage.serving.serve import serve

    release_large_blocks()
    serve(settings)
