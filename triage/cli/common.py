"""Options that several commands share, and functions that load the settings from them."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from triage.config import Settings, load_settings
from triage.decoding import DecodeError, decoded
from triage.errors import ConfigError
from triage.logging import configure_logging, get_logger

log = get_logger("triage.config")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file [default: triage.toml, if it exists]", show_default=False),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting, e.g. kafka.topic_prefix=shop; may be repeated"),
]
KafkaOption = Annotated[
    str | None,
    typer.Option("--bootstrap-servers", help="Kafka brokers [kafka.bootstrap_servers]", show_default=False),
]
ElasticsearchOption = Annotated[
    str | None,
    typer.Option("--elasticsearch", help="Elasticsearch URL [elasticsearch.url]", show_default=False),
]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="FIELD=NAME", help="Column that holds a field, e.g. text=comment; may be repeated"
    ),
]


def settings_from(config: Path | None, assignments: list[str] | None, /, **flags: Any) -> Settings:
    """Load the settings, override them by `--set` assignments and the command's own flags, and configure logging.

    Keyword names have `__` for the dot: `kafka__bootstrap_servers="..."`; None stands for a flag that was not given.
    Raises ConfigError for an invalid assignment or setting.
    """
    values: dict[str, Any] = {}
    for assignment in assignments or []:
        name, separator, value = assignment.partition("=")
        if not separator or "." not in name:
            # The value is not shown, because it may be a secret.
            shown = f"{name}=..." if separator else name
            raise ConfigError(f"--set takes SECTION.NAME=VALUE, not {shown!r}")
        values[name.strip()] = _value(name.strip(), value)
    # A flag that was not given must not override an assignment.
    values |= {name.replace("__", "."): value for name, value in flags.items() if value is not None}
    settings = load_settings(config, values)
    configure_logging(settings.logging.level, settings.logging.format)
    return settings


def warn_of_clear_text(settings: Settings, *sections: str) -> None:
    """Log a warning for each credential that these sections send over a network in clear text."""
    for exposure in settings.in_clear_text(*sections):
        log.warning("credentials_in_clear_text", setting=exposure.setting, what=exposure.what, fix=exposure.remedy)


def _value(name: str, text: str) -> Any:
    """Parse the value of an assignment: lists and objects as JSON, everything else stays text for the setting's type.

    Raises ConfigError for a list or object that is not valid JSON.
    """
    if text[:1] in "[{":
        try:
            return decoded(json.loads, text)
        except DecodeError as error:
            raise ConfigError(f"--set {name}: the value is not valid JSON: {error}") from error
    return text


def columns_from(pairs: list[str] | None) -> dict[str, str]:
    """Map raw fields to column names, from `--column FIELD=NAME` options. Raises ConfigError for any other form."""
    columns = {}
    for pair in pairs or []:
        field, separator, name = pair.partition("=")
        if not separator or not field.strip() or not name.strip():
            raise ConfigError(f"--column takes FIELD=NAME, e.g. text=comment, not {pair!r}")
        columns[field.strip()] = name.strip()
    return columns
