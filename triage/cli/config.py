"""`triage config`: checks, shows and describes the settings."""

import json
from collections.abc import Iterator
from typing import Any

import typer
from pydantic import BaseModel

from triage.cli.common import ConfigOption, SetOption, settings_from
from triage.config import Settings
from triage.errors import ConfigError, TriageError
from triage.masking import without_credentials

app = typer.Typer(help="Check, show and describe the settings.", no_args_is_help=True)


@app.command()
def check(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Validate all settings and the files they name; report all problems in one message."""
    from triage.alerting.rules.loader import check as check_alert_rules
    from triage.inference.manifest import read_manifest
    from triage.inference.model_files import verify_files
    from triage.inference.registry import find_folder
    from triage.redaction import Redactor
    from triage.rules import check as check_rules
    from triage.topics import load_definitions

    settings = settings_from(config, assignments)
    problems: list[str] = []
    intents = None
    try:
        folder = find_folder(settings.model)
        manifest = read_manifest(folder)
        intents = manifest.intents
        verify_files(folder, manifest)
    except TriageError as error:
        problems.append(str(error))
    if settings.model.shadow is not None:
        try:
            verify_files(settings.model.shadow, read_manifest(settings.model.shadow))
        except TriageError as error:
            problems.append(f"model.shadow: {error}")
    try:
        Redactor(settings.redaction)
        settings.require_own_author_key()
    except ConfigError as error:
        problems += error.problems
    try:
        load_definitions(settings.kafka)
    except ConfigError as error:
        problems += [f"{error.where}: {problem}" for problem in error.problems]
    for risk in _risks(settings):
        typer.echo(risk, err=True)
    problems += [*check_rules(settings, intents), *check_alert_rules(settings)]
    if problems:
        raise ConfigError(problems, where="config check")
    typer.echo("settings, rules, topics and model are valid", err=True)


@app.command()
def show(config: ConfigOption = None, assignments: SetOption = None) -> None:
    """Print the effective settings as JSON; secrets are masked."""
    typer.echo(json.dumps(_plain(settings_from(config, assignments)), indent=2, ensure_ascii=False))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the settings."""
    typer.echo(json.dumps(Settings.model_json_schema(), indent=2, ensure_ascii=False))


def _risks(settings: Settings) -> Iterator[str]:
    """Yield the risks of valid settings as lines of text, each with a remedy."""
    if settings.redaction.uses_demo_key:
        yield "warning: redaction.author_key is the demo key: anyone can compute its hashes"
    for section in ("console", "api"):
        for remark in getattr(settings, section).remarks(section):
            yield f"note: {remark}"
    console = settings.console
    https = settings.alerting.console_url.startswith("https:")
    if https and console.login and not console.tls_certfile and not console.trusted_proxies:
        yield (
            "warning: alerting.console_url is https, but console.trusted_proxies names no proxy: the console takes "
            "requests for http, so its cookies are not Secure and no HSTS is sent"
        )
    for exposure in settings.in_clear_text():
        yield f"warning: {exposure}"


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
