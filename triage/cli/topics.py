"""`triage topics`: plans and applies Kafka topics."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, KafkaOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.topics import Plan, TopicChange

app = typer.Typer(help="Plan and apply Kafka topics.", no_args_is_help=True)

EnvironmentOption = Annotated[
    str | None,
    typer.Option("--environment", help="Section of topics/topics.yaml [kafka.environment]", show_default=False),
]


@app.command()
def plan(
    config: ConfigOption = None,
    assignments: SetOption = None,
    bootstrap_servers: KafkaOption = None,
    environment: EnvironmentOption = None,
) -> None:
    """Show what `apply` would create and change; changes nothing."""
    from triage.topics import plan_topics

    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, kafka__environment=environment
    )
    found = plan_topics(settings.kafka)
    _print(found)
    typer.echo("nothing to do" if found.empty else "apply with: triage topics apply", err=True)


@app.command()
def apply(
    config: ConfigOption = None,
    assignments: SetOption = None,
    bootstrap_servers: KafkaOption = None,
    environment: EnvironmentOption = None,
) -> None:
    """Create topics, add partitions, set configuration. Never deletes or shrinks; safe to run at any time."""
    from triage.topics import apply_topics

    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, kafka__environment=environment
    )
    done = apply_topics(
        settings.kafka,
        on_plan=_print,
        on_done=lambda change: typer.echo(
            f"{change.definition.full_name} {'created' if change.create else 'changed'}", err=True
        ),
    )
    if done.empty:
        typer.echo("nothing to do", err=True)


def _print(found: "Plan") -> None:
    for change in found.topics:
        sign, colour = ("+", "green") if change.create else ("=", None) if change.empty else ("~", "yellow")
        typer.secho(f"{sign} {change.definition.full_name}", fg=colour, bold=sign != "=")
        for label, value in _lines(change):
            typer.echo(f"    {label:<24} {value}")
    for warning in found.warnings:
        typer.secho(f"! {warning}", fg="red")
    for note in found.notes:
        typer.echo(f"# {note}")
    created = sum(change.create for change in found.topics)
    same = sum(change.empty for change in found.topics)
    changed = len(found.topics) - created - same
    warned = f", {len(found.warnings)} warning{'s' if len(found.warnings) > 1 else ''}" if found.warnings else ""
    typer.echo(f"{created} to create, {changed} to change, {same} unchanged{warned}")


def _lines(change: "TopicChange") -> Iterator[tuple[str, str]]:
    from triage.topics.units import readable

    definition = change.definition
    if change.create:
        yield "partitions", str(definition.partitions)
        yield "replication factor", str(definition.replication_factor)
    elif change.add_partitions:
        yield "partitions", f"{change.partitions_before} -> {definition.partitions}"
    for item in change.config:
        new = readable(item.name, item.new)
        yield item.name, new if item.old is None else f"{readable(item.name, item.old)} -> {new}"
