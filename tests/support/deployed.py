"""Commands, options, settings and metrics that deployment files and pages may use."""

import functools
from collections.abc import Iterable
from typing import Any

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from triage.cli.main import build_app
from triage.config import ENV_PREFIX, Settings, secret_fields
from triage.metrics import Metrics

OTHER_VARIABLES = {"TRIAGE_HOME", "TRIAGE_CONFIG"}


@functools.cache
def settings() -> dict[str, FieldInfo]:
    """Fields of all settings by variable."""
    return {
        f"{ENV_PREFIX}{section}__{name}".upper(): field
        for section in Settings.model_fields
        for name, field in _section(section).model_fields.items()
    }


def variable_problem(name: str) -> str | None:
    """The reason why a variable has no effect in triage, or None."""
    known = settings()
    if name in known or name in OTHER_VARIABLES:
        return None
    setting = name.removesuffix("_FILE")
    if name != setting and setting in known:
        section, _, field = setting.removeprefix(ENV_PREFIX).lower().partition("__")
        secret = field in secret_fields(_section(section))
        return None if secret else f"{name}: only secrets are read from files"
    return f"{name}: no such setting"


def check_command(words: Iterable[str]) -> str:
    """Assert that `triage WORDS` is a command with these options, without running it."""
    command, left = _root(), list(words)
    context = command.context_class(command, info_name="triage")
    while hasattr(command, "resolve_command"):
        if command.invoke_without_command and (not left or left[0].startswith("-")):
            break
        assert left, f"{context.command_path}: a command is missing"
        name, command, left = command.resolve_command(context, left)
        context = command.context_class(command, info_name=name, parent=context)
    command.parse_args(context, left)
    return str(context.command_path)


@functools.cache
def _section(name: str) -> type[BaseModel]:
    section = Settings.model_fields[name].annotation
    assert isinstance(section, type)
    assert issubclass(section, BaseModel)
    return section


@functools.cache
def _root() -> Any:
    return typer.main.get_command(build_app())


@functools.cache
def metrics() -> dict[str, set[str]]:
    """Labels of all metrics by the name of the series in /metrics."""
    found: dict[str, set[str]] = {}
    for metric in vars(Metrics()).values():
        if not hasattr(metric, "_labelnames"):
            continue
        described, labels = metric.describe()[0], set(metric._labelnames)
        if described.type == "histogram":
            found[f"{described.name}_bucket"] = labels | {"le"}
            found[f"{described.name}_sum"] = found[f"{described.name}_count"] = labels
        else:
            found[described.name + ("_total" if described.type == "counter" else "")] = labels
    return found
