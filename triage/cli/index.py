"""`triage index`: plans and applies what Elasticsearch and Kibana need."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.config import Settings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from triage.elastic.kibana import ObjectChange
    from triage.elastic.plan import Change, Plan

app = typer.Typer(
    help="Plan and apply templates, mappings and retention in Elasticsearch, and dashboards in Kibana.",
    no_args_is_help=True,
)

KibanaOption = Annotated[
    str | None,
    typer.Option(
        "--kibana", metavar="URL", show_default=False,
        help="URL of Kibana: also import data views, searches and dashboards; URL/s/SPACE for a space",
    ),
]  # fmt: skip


OffsetsOption = Annotated[
    bool,
    typer.Option(
        "--offset-versions",
        help="Let new indices order records of the same millisecond by their offset; only once every worker and replay "
        "runs this version",
    ),
]


@app.command()
def plan(
    config: ConfigOption = None,
    assignments: SetOption = None,
    elasticsearch: ElasticsearchOption = None,
    kibana: KibanaOption = None,
    offset_versions: OffsetsOption = False,
) -> None:
    """Show what `apply` would change; changes nothing."""
    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    _, found = _plan(settings, offset_versions)
    _show(found)
    total = len(found.changes) + len(_kibana(settings, kibana, make=False))
    typer.echo(f"{_count(total)} to apply" if total else "nothing to do")


@app.command()
def apply(
    config: ConfigOption = None,
    assignments: SetOption = None,
    elasticsearch: ElasticsearchOption = None,
    kibana: KibanaOption = None,
    offset_versions: OffsetsOption = False,
) -> None:
    """Create and extend templates, mappings and the retention policy; nothing is ever deleted.

    With --kibana also import data views, searches and dashboards, overwriting those of an earlier import.
    """
    from triage.elastic.plan import apply as apply_plan

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    client, found = _plan(settings, offset_versions)
    _show(found)
    apply_plan(client, found, settings.clock.build(), settings.elasticsearch.start_timeout_s)
    total = len(found.changes) + len(_kibana(settings, kibana, make=True))
    typer.echo(f"{_count(total)} applied" if total else "nothing to do")


def _kibana(settings: Settings, url: str | None, *, make: bool) -> "Sequence[ObjectChange]":
    if url is None:
        return ()
    from triage.elastic.kibana import Kibana
    from triage.elastic.kibana_objects import saved_objects

    objects = saved_objects(settings.elasticsearch)
    with Kibana(url, settings.elasticsearch, settings.clock.build()) as kibana:
        changes = kibana.plan(objects)
        _show_changes(changes)
        if make and changes:
            kibana.apply(objects)
    return changes


def _plan(settings: Settings, offset_versions: bool) -> "tuple[Elasticsearch, Plan]":
    from triage.elastic.client import connect, wait_until_ready
    from triage.elastic.plan import plan_index
    from triage.redaction.author_keys import DEMO_CHECK, key_checks
    from triage.retries.until_available import until_available

    clock = settings.clock.build()
    client = connect(settings.elasticsearch)
    elastic, keys = settings.elasticsearch, key_checks(settings.redaction)
    wait_until_ready(client, elastic, clock)
    plan = until_available(
        lambda _: plan_index(client, elastic, clock, keys, DEMO_CHECK, offset_versions=offset_versions),
        clock,
        elastic.start_timeout_s,
    )
    return client, plan


def _show_changes(changes: "Sequence[Change | ObjectChange]") -> None:
    signs = {"create": "+", "update": "~"}
    for change in changes:
        typer.echo(f"{signs[change.kind]} {change.kind} {change.target}")
        for detail in change.details:
            typer.echo(f"    {detail}")


def _show(found: "Plan") -> None:
    _show_changes(found.changes)
    for clash in found.clashes:
        typer.echo(f"! mend by hand first: {clash}")
    for difference in found.incompatible:
        typer.echo(f"! not changed, needs a reindex: {difference}")
    for index in found.unusable:
        typer.echo(f"! not changed: {index}")
    for note in found.notes:
        typer.echo(f"  note: {note}")


def _count(changes: int) -> str:
    return f"{changes} change{'' if changes == 1 else 's'}"
