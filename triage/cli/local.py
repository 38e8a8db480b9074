"""`triage local`: starts and stops the local Kafka and Elasticsearch."""

from pathlib import Path
from typing import Annotated

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

app = typer.Typer(help="A local Kafka and Elasticsearch, for evaluation and tests.", no_args_is_help=True)
DataDir = Annotated[Path | None, typer.Option(help="Folder for their data [local.data_dir]", show_default=False)]


@app.command()
def up(data_dir: DataDir = None, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Start the local Kafka and Elasticsearch in the background; print their addresses as environment variables.

    The output can be used by `eval` or saved in a file.
    """
    from triage.local.stack import LocalStack

    local = settings_from(config, assignments, local__data_dir=data_dir).local
    stack = LocalStack(local.data_dir, local.kafka_port, local.elasticsearch_port)
    endpoints = stack.detach()
    typer.echo(f"export TRIAGE_KAFKA__BOOTSTRAP_SERVERS={endpoints.bootstrap_servers}")
    typer.echo(f"export TRIAGE_ELASTICSEARCH__URL={endpoints.elasticsearch_url}")
    typer.echo(f"local stack is up; data in {local.data_dir}; stop it with: triage local down", err=True)


@app.command()
def down(data_dir: DataDir = None, config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Stop the local Kafka and Elasticsearch; their data is kept."""
    from triage.local.stack import LocalStack

    local = settings_from(config, assignments, local__data_dir=data_dir).local
    ended = LocalStack(local.data_dir).end_detached()
    typer.echo(
        "local stack has stopped; its data is kept" if ended else f"no local stack runs in {local.data_dir}", err=True
    )
