"""`triage replay`: enriches stored records again, with the current model and rules."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from
from triage.cli.times import HELP, moment_ms
from triage.errors import ConfigError
from triage.types import Channel

if TYPE_CHECKING:
    from triage.pipeline.backfill.replay import ReplayProgress

_SHOWN_REFUSALS = 20
_NICE = 10


def command(
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help=HELP)] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Exclusive [default: now]")] = None,
    model_version: Annotated[
        str | None,
        typer.Option(
            metavar="NAME@VERSION",
            help="Enrich indexed documents of this model; --from and --to are event times then",
        ),
    ] = None,
    channel: Annotated[list[Channel] | None, typer.Option(help="Only this channel; may be repeated")] = None,
    rate: Annotated[float | None, typer.Option(help="Maximum number of records per second [replay.rate]")] = None,
    again: Annotated[bool, typer.Option("--again", help="From the start, even if it was done before")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the number of records")] = False,
    model: Annotated[Path | None, typer.Option(help="Model folder [model.path]")] = None,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Enrich records again with the current model and rules, alongside the workers, without alerts.

    With --from, raw records are read from their topics, as far back as these are retained; with --model-version, the
    stored, redacted texts of any age are enriched. Documents keep their ids. Newer content is not overwritten, and
    records of erased authors are skipped. An interrupted replay continues where it stopped.
    """
    import os

    from triage.cli.interrupt import Interruptible
    from triage.cli.own_intents import own_intents
    from triage.cli.progress import CountProgress
    from triage.clock import rfc3339
    from triage.pipeline.backfill.replay import Replay, Request

    settings = settings_from(
        config,
        assignments,
        kafka__bootstrap_servers=bootstrap_servers,
        elasticsearch__url=elasticsearch,
        model__path=model,
        replay__rate=rate,
    )
    clock = settings.clock.build()
    now_ms = clock.now_ms()
    from_ms, to_ms = moment_ms(start, now_ms, "--from"), moment_ms(end, now_ms, "--to") or now_ms
    if from_ms is None and model_version is None:
        raise ConfigError("give --from TIME or --model-version NAME@VERSION")
    if from_ms is not None and from_ms >= to_ms:
        raise ConfigError(f"--from {rfc3339(from_ms)} is not before --to {rfc3339(to_ms)}")
    request = Request(from_ms, to_ms, tuple(channel or Channel), model_version, again)
    kind = f"documents of {model_version}" if model_version else "raw records"
    if dry_run:
        account = Replay(settings, clock, request).size()
        typer.echo(f"{account.total:,} {kind} to enrich again; nothing was done (--dry-run)")
        return
    os.nice(_NICE)
    interrupt = Interruptible()
    progress = CountProgress("replay", clock)
    refused = 0

    def on_refused(place: str, reason: str) -> None:
        nonlocal refused
        refused += 1
        if refused <= _SHOWN_REFUSALS:
            progress.say(f"{place}: {reason}")

    replay = Replay(
        settings,
        clock,
        request,
        own_intents=own_intents(settings),
        stop=lambda: interrupt.requested,
        on_batch=lambda account: progress.show(
            account.resumed + account.read, account.total, superseded=account.superseded, refused=refused
        ),
        on_refused=on_refused,
    )
    with interrupt, progress:
        account = replay.run()
    typer.echo(_summary(account, kind), err=True)
    if interrupt.requested:
        flags = f"--from {rfc3339(from_ms)} " if from_ms is not None else ""
        flags += f"--to {rfc3339(to_ms)}" + (f" --model-version {model_version}" if model_version else "")
        flags += "".join(f" --channel {each}" for each in channel or ())
        typer.echo(f"stopped; continue with: triage replay {flags}", err=True)
        raise typer.Exit(130)


def _summary(account: "ReplayProgress", kind: str) -> str:
    if account.resumed and account.resumed == account.total:
        return f"all {account.total:,} {kind} were replayed before with this model and rules; --again repeats it"
    parts = [f"{account.read:,} of {account.total:,} {kind} read"]
    if account.resumed:
        parts.append(f"{account.resumed:,} done before")
    parts.append(f"{account.written:,} written")
    for number, outcome in (
        (account.superseded, "had newer content"),
        (account.forgotten, "of forgotten authors skipped"),
    ):
        if number:
            parts.append(f"{number:,} {outcome}")
    if account.refused:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in account.refused.most_common())
        parts.append(f"{account.refused.total():,} refused ({reasons})")
    return "; ".join(parts)
