"""`triage tap`: prints a topic's records as they arrive, with filters."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, KafkaOption, SetOption, settings_from
from triage.cli.complete import intents, named, tap_topics
from triage.cli.times import HELP, moment_ms
from triage.types import Channel, SentimentLabel, SeverityLevel

if TYPE_CHECKING:
    from kafka import TopicPartition
    from kafka.consumer.fetcher import ConsumerRecord

    from triage.cli.tap_records import Tapped
    from triage.topics.scan import TopicScan

_PAUSE_S = 0.1


def command(
    topic: Annotated[
        str,
        typer.Argument(
            metavar="[TOPIC]",
            autocompletion=tap_topics,
            help="enriched, raw (or complaints, reviews, social), dead-letter, alerts or counts",
        ),
    ] = "enriched",
    intent: Annotated[list[str] | None, typer.Option(autocompletion=intents, help="One of these values")] = None,
    sentiment: Annotated[
        list[str] | None, typer.Option(autocompletion=named(SentimentLabel), help="One of these values")
    ] = None,
    channel: Annotated[
        list[str] | None, typer.Option(autocompletion=named(Channel), help="One of these values")
    ] = None,
    severity: Annotated[
        list[str] | None, typer.Option(autocompletion=named(SeverityLevel), help="One of these values")
    ] = None,
    entity: Annotated[
        list[str] | None,
        typer.Option(metavar="[TYPE=]TEXT", help="Records with this entity, e.g. Acme or organization=Acme"),
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="REGEXP", help="Records whose text matches, ignoring case")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help=f"From this time on; {HELP}")] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="From the oldest record of the topic")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Exit after this many records", show_default=False)] = None,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Exit at the current end of the topic")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per line; the default without a terminal")
    ] = False,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Follow a topic: print the records that pass all filters, from now on or since a time.

    Joins no consumer group and commits nothing, so no consumer misses a record. Raw records are redacted first. Only
    committed records are shown. Filters may be repeated. Ctrl-C stops it.
    """
    import os
    import sys

    from triage.cli.tap_filter import make_filter
    from triage.cli.tap_records import TAPS, reader
    from triage.clock import SystemClock
    from triage.errors import ConfigError
    from triage.redaction import Redactor
    from triage.topics.scan import TopicScan

    if topic not in TAPS:
        raise ConfigError(f"no topic {topic!r} to tap; known topics: {', '.join(TAPS)}")
    tap = TAPS[topic]
    passes = make_filter(
        topic,
        tap,
        {"intent": intent, "sentiment": sentiment, "channel": channel, "severity": severity},
        entity or [],
        text,
    )
    if since is not None and from_beginning:
        raise ConfigError("give either --since or --from-beginning")
    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    # The broker's times are real, also when a demo simulates the clock.
    since_ms = moment_ms(since, SystemClock().now_ms(), "--since")
    plain = as_json or not sys.stdout.isatty()
    read = reader(tap, settings.kafka, Redactor(settings.redaction) if tap.raw else None)
    shown = 0
    with TopicScan(
        settings.kafka, "triage-tap", unreadable=lambda batch: typer.echo(f"left out: {batch}", err=True)
    ) as scan:
        names = [settings.kafka.topic(name) for name in tap.topics]
        ranges = scan.ranges(scan.partitions(names), since_ms)
        missing = sorted(set(names) - {each.topic for each in ranges})
        if missing:
            raise ConfigError(f"no topic {', '.join(missing)}; run: triage topics apply")
        starts = {each: first if from_beginning or since else end for each, (first, end) in ranges.items()}
        ends = {each: end for each, (_, end) in ranges.items()}
        try:
            for tapped in _tapped(scan, starts, ends if no_follow else None, read):
                if not passes(tapped):
                    continue
                typer.echo(tapped.json if plain else tapped.line, color=None if "NO_COLOR" not in os.environ else False)
                shown += 1
                if shown == limit:
                    return
        except KeyboardInterrupt:
            return


def _tapped(
    scan: "TopicScan",
    starts: "Mapping[TopicPartition, int]",
    ends: "Mapping[TopicPartition, int] | None",
    read: "Callable[[ConsumerRecord], list[Tapped]]",
) -> "Iterator[Tapped]":
    """Yield records in the order of each partition, up to the offsets `ends` (exclusive).

    Without `ends` it never returns.
    """
    import time

    from kafka import TopicPartition

    for records in scan.follow(starts):
        for record in records:
            end = None if ends is None else ends[TopicPartition(record.topic, record.partition)]
            if end is None or record.offset < end:
                yield from read(record)
        if ends is not None and scan.reached(ends):
            return
        if not records:
            time.sleep(_PAUSE_S)
