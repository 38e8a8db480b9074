"""The console script `triage`, which registers all commands; each command has its own file."""

import importlib
import sys

import typer

from triage import __version__
from triage.errors import TriageError

# Modules of triage.cli, in the order of `triage --help`; each has `app` (a group) or `command` (a function).
COMMANDS: tuple[str, ...] = (
    "demo",
    "local",
    "topics",
    "index",
    "worker",
    "alerter",
    "console",
    "serve",
    "top",
    "tap",
    "plan",
    "ingest",
    "enrich",
    "alerts",
    "dead_letters",
    "replay",
    "forget",
    "corrections",
    "playbooks",
    "chat",
    "market",
    "guide",
    "risk",
    "intents",
    "knowledge",
    "cases",
    "model",
    "train",
    "export",
    "parity",
    "evaluate",
    "config",
    "doctor",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"triage {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version"),
) -> None:
    del version


def build_app() -> typer.Typer:
    """Build the complete command line. Modules of commands import no large library, so this takes milliseconds."""
    app = typer.Typer(
        name="triage",
        help="Streaming complaint triage: Kafka in, intent, sentiment and entities, Elasticsearch and alerts out.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in COMMANDS:
        module = importlib.import_module(f"triage.cli.{name}")
        shown = name.replace("_", "-")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=shown)
        else:
            app.command(name=shown)(module.command)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. A TriageError is printed as one message on standard error and sets the exit code."""
    try:
        build_app()(args=arguments)
    except TriageError as error:
        typer.secho(f"triage: {error}" + (f"; {error.fix}" if error.fix else ""), fg="red", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # `triage enrich ... | head` closed the pipe: a normal end.
        sys.stderr.close()
        sys.exit(0)
