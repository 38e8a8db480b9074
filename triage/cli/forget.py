"""`triage forget`: erases what an author wrote."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from
from triage.cli.progress import waiting
from triage.errors import ConfigError

if TYPE_CHECKING:
    from triage.pipeline.erasure.places import Erased


def command(
    source: Annotated[str, typer.Option(help="Field `source` of the records; '' for records without one")],
    author: Annotated[
        str, typer.Option(help="Field `author_id` as the source sends it; - reads it from standard input")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be erased")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object")] = False,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Erase what an author wrote: documents, enriched records, dead letters, examples of alerts.

    Workers and replays skip what remains in the raw topics; the report says until when those keep it. Records are
    found with redaction.author_key and all old_author_keys. Safe to repeat.
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
            raise ConfigError("forget asks before it erases: without a terminal give --yes or --dry-run")
        with waiting("searching"):
            found = forget(settings, clock, source or None, author, dry_run=True)
        typer.echo(_account(found, dry_run=True), err=True)
        typer.confirm("Erase all of this permanently?", abort=True, err=True)
    with waiting("searching" if dry_run else "erasing"):
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
        lines.append(f"records in flight meanwhile, {verb}\t{erased.late:,}")
    lines += [
        f"{each.topic}\t"
        + (
            f"holds the raw text until {rfc3339(each.until_ms)} at the latest"
            if each.until_ms is not None
            else "keeps the raw text: its retention is unlimited or could not be read"
        )
        for each in erased.raw
    ]
    if erased.open_alerts and not dry_run:
        lines.append(
            f"again\t{len(erased.open_alerts)} of these alerts still fire, and the alerter may store the examples "
            f"again: repeat this command when they have resolved ({', '.join(erased.open_alerts)})"
        )
    return "\n".join(lines)


def _json(erased: "Erased") -> str:
    import dataclasses

    import orjson

    return orjson.dumps(dataclasses.asdict(erased)).decode()
