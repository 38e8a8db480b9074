"""What the program offers, as deployment files may use it: commands, options, settings, metrics."""

import functools

import typer

from triage.cli.main import build_app
from triage.config import ENV_PREFIX, Settings, secret_fields
from triage.metrics import Metrics

OTHER_VARIABLES = {"TRIAGE_HOME", "TRIAGE_CONFIG"}


@functools.cache
def settings():
    """Variable -> field, of every setting."""
    return {
        f"{ENV_PREFIX}{section}__{name}".upper(): field
        for section, part in Settings.model_fields.items()
        for name, field in part.annotation.model_fields.items()
    }


def variable_problem(name):
    """Why a variable does nothing in triage, or None."""
    known = settings()
    if name in known or name in OTHER_VARIABLES:
        return None
    setting = name.removesuffix("_FILE")
    if name != setting and setting in known:
        section, _, field = setting.removeprefix(ENV_PREFIX).lower().partition("__")
        secret = field in secret_fields(Settings.model_fields[section].annotation)
        return None if secret else f"{name}: only secrets are read from files"
    return f"{name}: no such setting"


def check_command(words):
    """Assert that `triage WORDS` is a command with these options, without running it."""
    command = _root()
    context = command.context_class(command, info_name="triage")
    while hasattr(command, "resolve_command"):
        assert words, f"{context.command_path}: a command is missing"
        name, command, words = command.resolve_command(context, list(words))
        context = command.context_class(command, info_name=name, parent=context)
    command.parse_args(context, list(words))
    return context.command_path


@functools.cache
def _root():
    return typer.main.get_command(build_app())


@functools.cache
def metrics():
    """Series name -> labels, as they stand in /metrics, of every metric."""
    found = {}
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
