"""`triage forget`: erases an author's records."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from
from triage.cli.progress import waiting
from triage.errors import ConfigError

if TYPE_CHECKING:
    from triage.pipeline.erasure.places import Erased

_QUESTION = 3


def command(
    source: Annotated[str, typer.Option(help="Field `source` of the records; '' for records without one")],
    author: Annotated[
        str, typer.Option(help="Field `author_id` as the source sends it; - reads it from standard input")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be erased")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation")] = False,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            show_default=False,
            help="Write where it looked, what it found and erased, and what remains; .json: as JSON, else as text",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object")] = False,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Erase what an author wrote: documents, enriched records, dead letters, examples of alerts.

    Workers and replays skip what remains in the raw topics; the report says how long those retain it. Records are found
    with redaction.author_key and all old_author_keys. Safe to repeat.

    Exit status 3: nothing was found, now or earlier, or records have hashes of unknown keys; standard error says which.
    Nothing is erased if a key is not the one of its version, or if a part of the index can't be searched.
    """
    from triage.clock import SystemClock
    from triage.pipeline.erasure.command import forget
    from triage.pipeline.erasure.report import account, as_dict, questions, remarks

    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    if author == "-":
        author = sys.stdin.readline().rstrip("\r\n")
    if not author:
        raise ConfigError("--author is empty")
    _check_report(report)
    clock = settings.clock.build()
    if not dry_run and not yes:
        if not sys.stdin.isatty():
            raise ConfigError("forget asks before it erases: without a terminal give --yes or --dry-run")
        with waiting("searching"):
            found = forget(settings, clock, source or None, author, dry_run=True)
        typer.echo(account(found, dry_run=True), err=True)
        _say([*remarks(found), *questions(found, source)])
        typer.confirm("Erase all of this permanently?", abort=True, err=True)
    with waiting("searching" if dry_run else "erasing"):
        erased = forget(settings, clock, source or None, author, dry_run=dry_run)
    if report is not None:
        _write_report(report, erased, source, dry_run=dry_run)
    if as_json:
        import orjson

        typer.echo(orjson.dumps(as_dict(erased, source, dry_run=dry_run, at_ms=SystemClock().now_ms())).decode())
    else:
        typer.echo(account(erased, dry_run=dry_run))
    asked = questions(erased, source)
    _say([*remarks(erased), *asked])
    if asked:
        raise typer.Exit(_QUESTION)


def _say(lines: list[str]) -> None:
    for line in lines:
        typer.secho(line, fg="yellow", err=True)


def _write_report(path: Path, erased: "Erased", source: str, *, dry_run: bool) -> None:
    import orjson

    from triage.clock import SystemClock
    from triage.paths import replace_file
    from triage.pipeline.erasure.report import as_dict, page

    now_ms = SystemClock().now_ms()
    if path.suffix == ".json":
        content = orjson.dumps(as_dict(erased, source, dry_run=dry_run, at_ms=now_ms), option=orjson.OPT_INDENT_2)
    else:
        content = page(erased, source, dry_run=dry_run, at_ms=now_ms).encode()
    replace_file(path, content)


def _check_report(path: Path | None) -> None:
    """Raise ConfigError, before anything is erased, if the report cannot be written to `path`."""
    if path is not None and (not path.parent.is_dir() or path.is_dir() or not os.access(path.parent, os.W_OK)):
        raise ConfigError(f"--report {path}: no file can be written there; give another path")
