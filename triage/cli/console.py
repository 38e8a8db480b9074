"""`triage console`: serves the web console."""

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
    host: Annotated[str | None, typer.Option(help="Address to listen on [console.host]", show_default=False)] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on [console.port]", show_default=False)] = None,
    elasticsearch: ElasticsearchOption = None,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Serve the web console: live counts, sentiment over time, alerts, latest feedback.

    Also serves /live, /ready and /metrics. On an address other than 127.0.0.1 it needs a login: console.tokens or
    console.proxy_login.
    """
    settings = settings_from(
        config,
        assignments,
        console__host=host,
        console__port=port,
        elasticsearch__url=elasticsearch,
        kafka__bootstrap_servers=bootstrap_servers,
    )
    warn_of_clear_text(settings, "kafka", "elasticsearch")
    from triage.console.serve import serve

    serve(settings)
