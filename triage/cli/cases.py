"""`triage cases`: imports resolutions, indexes them, finds similar cases."""

from pathlib import Path
from typing import Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from

app = typer.Typer(help="Resolved cases: import resolutions, index them, find similar ones.", no_args_is_help=True)
_BATCH = 500


@app.command(name="import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV or JSON lines: record (or id, channel, source), answer, outcome, at")
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a row is refused")] = False,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Send resolutions to the topic `resolutions`; answers are redacted before. Refused rows are named with their line.

    `resolution` names the kind of answer, by which cases are counted; `actor` who gave it.
    """
    from triage.assist.cases.reading import read_resolutions
    from triage.assist.cases.sender import ResolutionSender
    from triage.clock import SystemClock
    from triage.errors import InvalidRecord
    from triage.redaction import Redactor
    from triage.schemas.resolution import Resolution

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    sender = ResolutionSender(settings.kafka, Redactor(settings.redaction), settings.worker.zone_of)
    batch: list[Resolution] = []
    sent = refused = 0
    try:
        for line, row in read_resolutions(file, SystemClock().now_ms(), sender.zone_of):
            if isinstance(row, InvalidRecord):
                typer.secho(f"{file}:{line}: {row}", fg="red", err=True)
                refused += 1
                continue
            batch.append(row)
            if len(batch) == _BATCH:
                sender.send(batch)
                sent, batch = sent + len(batch), []
        sender.send(batch)
        sent += len(batch)
    finally:
        sender.close()
    typer.echo(f"{sent:,} resolutions sent, {refused:,} refused")
    if strict and refused:
        raise typer.Exit(1)


@app.command()
def index(
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Read the topic of resolutions once, to its end, and bring the index of cases up to date.

    `triage serve` does the same while it runs. A resolution waits in the topic until its record is in the index.
    """
    from triage.assist.answers.assemble import usable_encoder
    from triage.assist.cases.indexer import TOPIC, CaseIndexer
    from triage.elastic.client import connect
    from triage.elastic.knowledge import make_visible
    from triage.redaction import Redactor
    from triage.topics.scan import TopicScan

    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    with connect(settings.elasticsearch) as client, TopicScan(settings.kafka, "triage-cases") as scan:
        indexer = CaseIndexer(client, settings.elasticsearch, Redactor(settings.redaction), usable_encoder(settings))
        read = 0
        for records in scan.read(scan.ranges(scan.existing_partitions(TOPIC))):
            indexer.take(records)
            read += len(records)
        make_visible(client, settings.elasticsearch.cases())
    typer.echo(f"{read:,} messages read, {indexer.written:,} cases written, {indexer.waiting:,} without their record")


@app.command()
def similar(
    text: Annotated[str, typer.Argument(help="Text of a complaint")],
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="Number of cases")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line")] = False,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print the resolved cases most similar to a text, and how often their kind of resolution ended the case."""
    import msgspec

    from triage.assist.answers.assemble import usable_encoder
    from triage.assist.cases.similar import CaseFinder
    from triage.elastic.client import connect

    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    with connect(settings.elasticsearch) as client:
        found = CaseFinder(client, settings.elasticsearch, usable_encoder(settings)).find(text, k)
    for each in found:
        if as_json:
            typer.echo(msgspec.json.encode(each).decode())
            continue
        share = "" if each.ended is None else f", ended {each.ended:.0%} of {each.cases:,} such cases"
        typer.echo(f"{each.resolution or '-'} ({each.outcome}{share})\n  {each.text}\n  > {each.answer}")
