"""`triage ingest`: sends files to the raw topics."""

import itertools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ColumnOption, ConfigOption, KafkaOption, SetOption, columns_from, settings_from
from triage.cli.file_options import (
    DelimiterOption,
    EncodingOption,
    PresetOption,
    TimeFormatOption,
    TimeZoneOption,
    time_form_from,
)
from triage.errors import ConfigError, SourceError
from triage.types import Channel

if TYPE_CHECKING:
    from triage.cli.ingest_table import Preview
    from triage.clock import Clock
    from triage.config import KafkaSettings
    from triage.sources.delivery import Delivery
    from triage.sources.ingest import Account
    from triage.sources.rows import Row
    from triage.topics.kafka_types import Producer

_LAST_WAIT_S = 5.0


def command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="CSV or JSONL files, plain or gzip; - is standard input")
    ],
    channel: Annotated[
        Channel | None,
        typer.Option(help="Channel of every row [default: the row's own, else complaint]", show_default=False),
    ] = None,
    file_format: Annotated[
        str | None, typer.Option("--format", help="csv or jsonl [default: by file name or content]", show_default=False)
    ] = None,
    column: ColumnOption = None,
    preset: PresetOption = None,
    time_zone: TimeZoneOption = None,
    time_format: TimeFormatOption = None,
    encoding: EncodingOption = None,
    delimiter: DelimiterOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if a row was refused")] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Validate, print what each column becomes and the first records; send nothing"),
    ] = False,
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Maximum number of rows per second", show_default=False)
    ] = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Stop after this many rows", show_default=False)] = None,
    skip: Annotated[int, typer.Option(min=0, help="Skip this many rows, to resume")] = 0,
    config: ConfigOption = None,
    assignments: SetOption = None,
    bootstrap_servers: KafkaOption = None,
) -> None:
    """Send complaints, reviews and posts from files to the raw topics.

    First prints the role of each column: a field, kept, hidden, hashed or dropped. Every row is validated; refused rows
    are reported on standard error with file and line. At the end it prints a summary, and after a failure or Ctrl-C the
    row at which to resume.
    """
    from triage.cli.ingest_progress import IngestProgress
    from triage.cli.interrupt import Interruptible
    from triage.sources.files import read_rows
    from triage.sources.ingest import ingest
    from triage.sources.notes import FileNotes
    from triage.sources.presets import preset_named

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    if settings.logging.level != "DEBUG":
        # The client logs every retry; here it is reported once, while waiting and in the summary.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
    clock = settings.clock.build()
    read = partial(
        read_rows,
        format=file_format,
        channel=channel,
        columns=columns_from(column),
        clock=clock,
        max_future_hours=settings.worker.max_future_hours,
        max_text_chars=settings.worker.max_text_chars,
        encoding=encoding,
        delimiter=delimiter,
        preset=preset_named(preset),
        time_form=time_form_from(time_zone, time_format),
        zone_of=settings.worker.zone_of,
    )
    for preview in _previews(files, read):
        typer.echo("\n".join(preview.table()), err=not dry_run)
        if dry_run:
            typer.echo("\n".join(["first records, as they would be sent:", *preview.records()]))
    interrupt = Interruptible()
    progress = IngestProgress(files, clock)
    notes = FileNotes(progress.say)
    rows = itertools.chain.from_iterable(read(path, notes=notes, on_read=progress.read) for path in files)
    kafka = _kafka(settings.kafka, clock, channel, skip, dry_run, lambda: interrupt.requested)
    # Signals are handled from here on only: while waiting for Kafka, Ctrl-C has nothing to finish.
    with kafka as (delivery, max_bytes), interrupt, progress:
        started = clock.monotonic()
        account = ingest(
            interrupt.until_stopped(rows),
            delivery,
            clock=clock,
            on_refused=lambda row, error: progress.say(f"{row.source}:{row.line}: {error}"),
            on_row=progress.row,
            max_bytes=max_bytes,
            skip=skip,
            limit=limit,
            rate=rate,
            stop=lambda: interrupt.requested,
        )
        if delivery is not None:
            ended = interrupt.requested or delivery.failure is not None
            delivery.finish(_LAST_WAIT_S if ended else _patience_s(settings.kafka))
        seconds = clock.monotonic() - started
        notes.say_counts()
    typer.echo(_summary(account, delivery, seconds), err=True)
    failure = (delivery.failure if delivery is not None else None) or account.error
    if failure is not None or interrupt.requested:
        typer.echo(_where(account, delivery, skip), err=True)
    if failure is not None:
        raise failure
    if interrupt.requested:
        raise typer.Exit(130)
    if strict and account.refused:
        raise typer.Exit(1)


def _previews(files: list[str], read: "Callable[..., Iterator[Row]]") -> "list[Preview]":
    """Preview every file, and so check that it can be read, before the first one is sent."""
    from triage.cli.ingest_table import SAMPLE_ROWS, Preview
    from triage.sources.stream import STDIN

    previews: list[Preview] = []
    problems = []
    if files.count(STDIN) > 1:
        problems.append("standard input (-) can only be read once")
    for path in files:
        if path == STDIN:
            continue
        preview = Preview(path)
        try:
            for row in itertools.islice(read(path, on_columns=partial(setattr, preview, "columns")), SAMPLE_ROWS):
                preview.add(row)
        except ConfigError as error:
            problems.append(str(error))
        except SourceError:
            # Reported where the row is that can't be read.
            pass
        previews.append(preview)
    if problems:
        raise ConfigError(problems)
    return previews


@contextmanager
def _kafka(
    settings: "KafkaSettings",
    clock: "Clock",
    channel: Channel | None,
    skip: int,
    dry_run: bool,
    stop: Callable[[], bool],
) -> "Iterator[tuple[Delivery | None, dict[Channel, int] | None]]":
    """Context with a delivery to existing topics, and each channel's maximum message size in bytes.

    (None, None) for a dry run.
    """
    if dry_run:
        yield None, None
        return
    from kafka.errors import KafkaError

    from triage.retries.until_available import until_available
    from triage.sources.delivery import Delivery
    from triage.sources.ingest import make_producer
    from triage.topics import require_topics, translate
    from triage.topics.definitions import RAW_TOPICS

    names = {each: name for each, name in RAW_TOPICS.items() if channel in {None, each}}
    found = require_topics(settings, names.values(), clock=clock)
    limits = {each: found[name] for each, name in names.items()}

    def connect(_: float) -> "Producer":
        try:
            return make_producer(settings, max(limits.values()))
        except KafkaError as error:
            raise translate(error) from error

    producer = until_available(connect, clock, settings.start_timeout_s)
    delivery = Delivery(
        producer,
        {each: settings.topic(name) for each, name in names.items()},
        translate=partial(translate, doing=f"sending to {settings.bootstrap_servers}"),
        clock=clock,
        stop=stop,
        rows_before=skip,
    )
    try:
        yield delivery, limits
    finally:
        # The summary reports what could not be delivered; closing must not wait for it again.
        with suppress(KafkaError):
            producer.close(timeout=0 if delivery.failure is not None else _LAST_WAIT_S)


def _patience_s(settings: "KafkaSettings") -> float:
    from triage.sources.ingest import delivery_timeout_ms

    return delivery_timeout_ms(settings) / 1000 + _LAST_WAIT_S


def _summary(account: "Account", delivery: "Delivery | None", seconds: float) -> str:
    channels = ", ".join(f"{channel} {count:,}" for channel, count in sorted(account.accepted.items()))
    accepted = f"{account.accepted.total():,} accepted" + (f" ({channels})" if channels else "")
    text = f"{account.rows:,} rows in {seconds:.1f} s: {accepted}, {account.refused:,} refused"
    if delivery is None:
        return f"{text}; nothing was sent (--dry-run)"
    return f"{text}, {delivery.acknowledged.total():,} acknowledged by Kafka"


def _where(account: "Account", delivery: "Delivery | None", skip: int) -> str:
    place = delivery.resume if delivery is not None else None
    if place is not None:
        first = f"{place.source}:{place.line} is the first row not acknowledged"
        return f"stopped: {first}; resume with --skip {place.rows_before}"
    if account.last is None:
        return f"stopped before the first row; resume with --skip {skip}"
    return f"stopped after {account.last[0]}:{account.last[1]}; resume with --skip {skip + account.rows}"
