"""`triage forget`: the right to erasure."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from
from triage.cli.progress import waiting
from triage.errors import ConfigError

if TYPE_CHECKING:
    from triage.pipeline.erasure.places import Erased


def command(
    source: Annotated[str, typer.Option(help="The record's field source; '' for records without one")],
    author: Annotated[str, typer.Option(help="The author_id as the source sends it; - reads it from standard input")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what there is")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The account as one JSON object")] = False,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Erase what an author wrote: documents, enriched records, dead letters, examples of alerts.

    Workers and replays pass over what is left of it in the raw topics; the account says until when those hold it.
    Tries every key of redaction.author_key and old_author_keys. Safe to repeat.
    """
    from triage.pipeline.erasure.command import forget

    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    if author == "-":
        author = sys.stdin.readline().rstrip("\r\n")
    if not author:
        raise ConfigError("--author is empty")
    clock = settings.clock.build()
    if not dry_run and not yes:
        if not sys.stdin.isatty():
            raise ConfigError("forget asks before it erases: give --yes (or --dry-run) where nobody can answer")
        with waiting("looking for what they wrote"):
            found = forget(settings, clock, source or None, author, dry_run=True)
        typer.echo(_account(found, dry_run=True), err=True)
        typer.confirm("Erase all of this for good?", abort=True, err=True)
    with waiting("looking for what they wrote" if dry_run else "erasing"):
        erased = forget(settings, clock, source or None, author, dry_run=dry_run)
    typer.echo(_json(erased) if as_json else _account(erased, dry_run=dry_run))


def _account(erased: "Erased", *, dry_run: bool) -> str:
    from triage.clock import rfc3339

    verb = "to erase" if dry_run else "erased"
    where = ", ".join(f"{index} {count:,}" for index, count in sorted(erased.indices.items()))
    lines = [
        f"author\t{', '.join(erased.authors)}",
        f"documents {verb}\t{erased.documents:,}" + (f" ({where})" if where else ""),
        f"dead letters {verb}\t{erased.dead_letters:,}",
        f"alerts whose examples are {verb}\t{erased.alerts:,}",
        f"corrections {verb}\t{erased.corrections:,}",
    ]
    if erased.late:
        lines.append(f"records in hand meanwhile, {verb}\t{erased.late:,}")
    lines += [
        f"{each.topic}\t"
        + (
            f"holds the raw text until {rfc3339(each.until_ms)} at the latest"
            if each.until_ms is not None
            else "keeps the raw text: its retention is unlimited or not readable"
        )
        for each in erased.raw
    ]
    if erased.open_alerts and not dry_run:
        lines.append(
            f"again\t{len(erased.open_alerts)} of these alerts still fire, and their alerter may store the examples "
            f"once more: repeat this when they have resolved ({', '.join(erased.open_alerts)})"
        )
    return "\n".join(lines)


def _json(erased: "Erased") -> str:
    import dataclasses

    import orjson

    return orjson.dumps(dataclasses.asdict(erased)).decode()
