"""`triage dead-letters`: lists, shows and replays records that could not be processed."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage.cli.common import ConfigOption, KafkaOption, SetOption, settings_from
from triage.cli.times import HELP, moment_ms
from triage.errors import ConfigError, TriageError

if TYPE_CHECKING:
    from triage.pipeline.dead_letters.reader import DeadLetterFilter
    from triage.schemas.deadletter import DeadLetter

app = typer.Typer(help="Records that could not be processed: list, show, replay.", no_args_is_help=True)

StageOption = Annotated[str | None, typer.Option(help="Stage that refused the record: decode, validate, enrich, index")]
ReasonOption = Annotated[str | None, typer.Option(help="Reason, e.g. missing_text")]
SinceOption = Annotated[str | None, typer.Option(metavar="TIME", help=f"Failed since this time; {HELP}")]
UntilOption = Annotated[str | None, typer.Option(metavar="TIME", help="Failed before this time")]
TopicOption = Annotated[str | None, typer.Option(help="Raw topic, e.g. complaints, with or without the prefix")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object per line")]

_OUTCOMES = {
    "replayed": "replayed",
    "would_replay": "would be replayed",
    "already_replayed": "was replayed at {at}",
    "gone": "is no longer in its topic: older than the retention",
    "needs_its_reason": "crashed workers: give its position, or --reason crashed_the_worker",
    "forgotten": "is of an author who asked to be forgotten",
}


@app.command("list")
def list_(
    stage: StageOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    topic: TopicOption = None,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of letters to print, the newest")] = 50,
    as_json: JsonOption = False,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print dead letters, newest first: time, position, stage, reason, message."""
    import msgspec

    from triage.pipeline.dead_letters.reader import read_letters
    from triage.topics.scan import TopicScan, log_unreadable

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    letter_filter = _letter_filter(settings, (), stage, reason, since, until, topic)
    with TopicScan(settings.kafka, "triage-dead-letters", unreadable=log_unreadable) as scan:
        letters = read_letters(scan, letter_filter)
    for letter in reversed(letters[-limit:]):
        typer.echo(msgspec.json.encode(letter).decode() if as_json else _line(letter))
    reasons = Counter(letter.reason for letter in letters if not letter.replayed_at)
    counts = ", ".join(f"{name} {count:,}" for name, count in reasons.most_common())
    replayed = sum(1 for letter in letters if letter.replayed_at)
    typer.echo(f"{reasons.total():,} dead letters" + (f": {counts}" if counts else ""), err=True)
    if replayed:
        typer.echo(f"{replayed:,} more were replayed and have not failed again", err=True)


@app.command()
def show(
    position: Annotated[str, typer.Argument(metavar="POSITION", help="topic/partition/offset, as `list` prints it")],
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print one dead letter as JSON, and whether its raw record still exists."""
    import msgspec
    import orjson

    from triage.pipeline.dead_letters.origin_headers import parse_position
    from triage.pipeline.dead_letters.reader import read_letters
    from triage.topics.scan import TopicScan, log_unreadable

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    letter_filter = _letter_filter(settings, [position], None, None, None, None, None)
    with TopicScan(settings.kafka, "triage-dead-letters", unreadable=log_unreadable) as scan:
        found = read_letters(scan, letter_filter)
        if not found:
            raise TriageError(f"no dead letter at {position}; see: triage dead-letters list")
        where = parse_position(found[0].position)
        retained = where in scan.fetch([where])
    letter = {**msgspec.to_builtins(found[0]), "raw_record": "retained" if retained else "gone"}
    typer.echo(orjson.dumps(letter, option=orjson.OPT_INDENT_2).decode())


@app.command()
def replay(
    positions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[POSITION]...", help="Positions of single letters, as `list` prints them"),
    ] = None,
    stage: StageOption = None,
    reason: ReasonOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    topic: TopicOption = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Maximum number of records to replay, the oldest first", show_default=False),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Replay every dead letter; required without positions and filters")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be done")] = False,
    as_json: JsonOption = False,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Send the raw records of dead letters to their topics again, so that the workers process them again.

    A record keeps its identity, so it is indexed and counted once. Each is replayed once, however often this runs.
    Exit 1 if a record no longer exists.
    """
    import orjson

    from triage.pipeline.dead_letters.replay import replay_letters
    from triage.pipeline.erasure.tombstones import read_erased_authors
    from triage.redaction import Redactor
    from triage.topics.scan import TopicScan

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    letter_filter = _letter_filter(settings, positions or (), stage, reason, since, until, topic)
    if letter_filter.matches_everything and not everything:
        raise ConfigError("replay takes positions, filters (--reason ...), or --all for every dead letter")
    with TopicScan(settings.kafka, "triage-dead-letters") as scan:
        erased = read_erased_authors(scan, Redactor(settings.redaction))
    outcomes: Counter[str] = Counter()
    for letter, outcome in replay_letters(
        settings,
        settings.clock.build(),
        letter_filter,
        is_erased=erased.contains_author_of_payload,
        dry_run=dry_run,
        limit=limit,
    ):
        outcomes[outcome] += 1
        if as_json:
            typer.echo(orjson.dumps({"position": letter.position, "key": letter.key, "outcome": outcome}).decode())
        else:
            typer.echo(f"{letter.position}\t{_OUTCOMES[outcome].format(at=letter.replayed_at)}")
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in outcomes.items())
    typer.echo(counts or "no dead letters match", err=True)
    if outcomes["gone"]:
        raise typer.Exit(1)


def _letter_filter(
    settings: Any,
    positions: "list[str] | tuple[str, ...]",
    stage: str | None,
    reason: str | None,
    since: str | None,
    until: str | None,
    topic: str | None,
) -> "DeadLetterFilter":
    from triage.pipeline.dead_letters.origin_headers import parse_position
    from triage.pipeline.dead_letters.reader import DeadLetterFilter
    from triage.topics.definitions import RAW_TOPICS

    now_ms = settings.clock.build().now_ms()
    for position in positions:
        try:
            parse_position(position)
        except ValueError:
            raise ConfigError(f"POSITION must be topic/partition/offset, not {position!r}") from None
    return DeadLetterFilter(
        positions=frozenset(positions),
        stage=stage,
        reason=reason,
        topic=settings.kafka.topic(topic) if topic in RAW_TOPICS.values() else topic,
        since_ms=moment_ms(since, now_ms, "--since"),
        until_ms=moment_ms(until, now_ms, "--until"),
    )


def _line(letter: "DeadLetter") -> str:
    state = f"\treplayed {letter.replayed_at}" if letter.replayed_at else ""
    return (
        f"{letter.failed_at}\t{letter.position}\t{letter.stage}\t{letter.reason}\t"
        f"{' '.join(letter.message.split())[:200]}{state}"
    )
