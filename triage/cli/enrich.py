"""`triage enrich`: enriches files as the worker does, without Kafka and Elasticsearch."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from triage.cli.common import ColumnOption, ConfigOption, SetOption, columns_from, settings_from
from triage.cli.file_options import (
    DelimiterOption,
    EncodingOption,
    PresetOption,
    TimeFormatOption,
    TimeZoneOption,
    time_form_from,
)
from triage.types import Channel

_BATCH = 256


def command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV or JSONL files, plain or gzip; - is standard input")
    ],
    channel: Annotated[
        Channel | None, typer.Option(help="Channel of every row [default: the row's own, else complaint]")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of standard output")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a row was refused")] = False,
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl [default: by file name or content]")
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain", help="Add an explanation to each record: words with weights, and matches of the rules"
        ),
    ] = False,
    column: ColumnOption = None,
    preset: PresetOption = None,
    time_zone: TimeZoneOption = None,
    time_format: TimeFormatOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    model: Annotated[Path | None, typer.Option(help="Model folder [model.path]")] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Enrich files without Kafka or Elasticsearch.

    Prints one JSON line per accepted row, in input order; refused rows are reported on standard error.
    """
    import sys

    import msgspec

    from triage.cli.ingest_progress import IngestProgress
    from triage.cli.own_intents import own_intents
    from triage.errors import InvalidRecord
    from triage.inference.model import OnnxModel
    from triage.pipeline.assemble import build_enricher
    from triage.pipeline.batch import Enriched, ValidatedRecord
    from triage.pipeline.stages.decode import event_time_of
    from triage.pipeline.stages.enrich import explain as explain_record
    from triage.sources.files import read_rows
    from triage.sources.notes import FileNotes
    from triage.sources.presets import preset_named

    settings = settings_from(config, assignments, model__path=model)
    known, time_form = preset_named(preset), time_form_from(time_zone, time_format)
    clock = settings.clock.build()
    enricher = build_enricher(settings, clock, own_intents=own_intents(settings))
    columns = columns_from(column)
    refused = done = 0
    progress = IngestProgress(files, clock, "enrich", quiet=output is None and sys.stdout.isatty())
    notes = FileNotes(progress.say)

    def accepted() -> Iterator[ValidatedRecord]:
        nonlocal refused
        for row in itertools.chain.from_iterable(
            read_rows(
                path,
                format=file_format,
                channel=channel,
                columns=columns,
                on_read=progress.read,
                encoding=encoding,
                delimiter=delimiter,
                preset=known,
                time_form=time_form,
                notes=notes,
            )
            for path in files
        ):
            try:
                if row.error is not None:
                    raise row.error
                assert row.record is not None
                event_ms = event_time_of(
                    row.record,
                    clock,
                    settings.worker.max_future_hours,
                    default_ms=clock.now_ms(),
                    zone=settings.worker.zone_of(row.channel, row.record.source),
                )
            except InvalidRecord as error:
                refused += 1
                progress.say(f"{row.source}:{row.line}: {error}")
                continue
            yield ValidatedRecord(row.record, row.channel, event_ms, row.record.id or f"{row.source}:{row.line}")

    def shown(item: Enriched) -> bytes:
        active = enricher.active
        assert isinstance(active.model, OnnxModel)
        return msgspec.json.encode(explain_record(active.model, active.rules, item.record, active.risks))

    rows = accepted()
    with (
        output.open("wb") if output else contextlib.nullcontext(sys.stdout.buffer) as out,
        progress,
    ):
        while batch := list(itertools.islice(rows, _BATCH)):
            for item in enricher.enrich(batch):
                out.write((shown(item) if explain else item.body) + b"\n")
            out.flush()
            done += len(batch)
            progress.rows(done + refused, refused)
        notes.say_counts()
    if refused:
        typer.echo(f"{refused} row{'s' if refused > 1 else ''} refused", err=True)
    if refused and strict:
        raise typer.Exit(1)
