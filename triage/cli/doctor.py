"""`triage doctor`: checks everything that the settings name."""

from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.doctor import Finding

_MARKS = {"ok": ("ok", "green"), "warning": ("warning", "yellow"), "failed": ("FAILED", "red")}


def command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per finding, for scripts")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 for a warning too")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help="Seconds that each server has to answer")] = 5.0,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Check Kafka, Elasticsearch, model, processes, console and receivers; changes nothing.

    Exits with 0 if all is well, 1 if something failed, 2 if the settings are invalid. Receivers get no message; triage
    alerts test sends one.
    """
    import logging

    import msgspec

    from triage.doctor import examine

    settings = settings_from(config, assignments)
    # What libraries log about servers that do not answer stands in the findings.
    for name in ("triage", "kafka", "httpx", "elastic_transport"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    states: list[str] = []
    for finding in examine(settings, timeout):
        states.append(finding.state)
        if as_json:
            typer.echo(msgspec.json.encode(finding).decode())
        else:
            _print(finding)
    failures, warnings = states.count("failed"), states.count("warning")
    if not as_json:
        typer.echo(f"{_count(failures, 'failure')}, {_count(warnings, 'warning')}")
    if failures or (strict and warnings):
        raise typer.Exit(1)


def _print(finding: "Finding") -> None:
    mark, color = _MARKS[finding.state]
    typer.echo(f"{typer.style(f'{mark:<8}', fg=color)} {finding.subject}: {finding.text}")
    if finding.remedy:
        typer.echo(f"{'':<8} -> {finding.remedy}")


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
