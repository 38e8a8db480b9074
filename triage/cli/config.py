"""`triage config`: checks, shows and describes the settings."""

import json
from typing import Any

import typer
from pydantic import BaseModel

from triage.cli.common import ConfigOption, SetOption, settings_from
from triage.config import Settings
from triage.errors import ConfigError
from triage.masking import without_credentials

app = typer.Typer(help="Check, show and describe the settings.", no_args_is_help=True)


@app.command()
def check(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Validate all settings and the files they name; report all problems in one message."""
    from triage.doctor import files

    settings = settings_from(config, assignments)
    for risk in files.risks(settings):
        typer.echo(risk, err=True)
    problems = files.problems(settings)
    if problems:
        raise ConfigError(problems, where="config check")
    typer.echo("settings, rules, topics and model are valid; no server was asked: triage doctor does", err=True)


@app.command()
def show(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Print the effective settings as JSON; secrets are masked."""
    typer.echo(json.dumps(_plain(settings_from(config, assignments)), indent=2, ensure_ascii=False))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the settings."""
    typer.echo(json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (int, float, bool, type(None))):
        return value
    return without_credentials(str(value))  # a SecretStr shows stars
