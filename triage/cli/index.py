"""`triage index`: what Elasticsearch needs, shown and then made."""

from typing import TYPE_CHECKING

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.config import Settings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from triage.elastic.plan import Plan

app = typer.Typer(
    help="Show, then make, what Elasticsearch needs: templates, mappings, retention.", no_args_is_help=True
)


@app.command()
def plan(config: ConfigOption = None, assignments: SetOption = None, elasticsearch: ElasticsearchOption = None) -> None:
    """Show what `apply` would do; changes nothing."""
    _, found = _plan(settings_from(config, assignments, elasticsearch__url=elasticsearch))
    _show(found)
    typer.echo(f"{_count(len(found.changes))} to make" if found else "nothing to do")


@app.command()
def apply(
    config: ConfigOption = None, assignments: SetOption = None, elasticsearch: ElasticsearchOption = None
) -> None:
    """Create and extend templates, mappings and the retention policy; nothing is ever deleted."""
    from triage.elastic.plan import apply as apply_plan

    client, found = _plan(settings_from(config, assignments, elasticsearch__url=elasticsearch))
    _show(found)
    apply_plan(client, found)
    typer.echo(f"{_count(len(found.changes))} made" if found else "nothing to do")


def _plan(settings: Settings) -> "tuple[Elasticsearch, Plan]":
    from triage.elastic.client import connect, wait_until_ready
    from triage.elastic.plan import plan_index

    clock = settings.clock.build()
    client = connect(settings.elasticsearch)
    wait_until_ready(client, settings.elasticsearch, clock)
    return client, plan_index(client, settings.elasticsearch, clock)


def _show(found: "Plan") -> None:
    signs = {"create": "+", "update": "~"}
    for change in found.changes:
        typer.echo(f"{signs[change.kind]} {change.kind} {change.target}")
        for detail in change.details:
            typer.echo(f"    {detail}")
    for difference in found.incompatible:
        typer.echo(f"! kept as it is, needs a reindex: {difference}")
    for note in found.notes:
        typer.echo(f"  note: {note}")


def _count(changes: int) -> str:
    return f"{changes} change{'' if changes == 1 else 's'}"
