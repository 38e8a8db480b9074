"""`triage alerts ack`, `snooze`, `assign`, `comment`, `resolve` and `silence`: records users' actions on alerts."""

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.alert_key import KeyArgument, LatestOption, find_named
from triage.cli.common import ConfigOption, ElasticsearchOption, KafkaOption, SetOption, settings_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triage.alerting.app.actions import ActionWriter
    from triage.config import Settings
    from triage.schemas.action import Silence

silence_app = typer.Typer(help="Silences: mute matching alerts for some time.", no_args_is_help=True)

ByOption = Annotated[
    str | None, typer.Option("--by", metavar="NAME", help="Your name [default: the system user]", show_default=False)
]
CommentOption = Annotated[str, typer.Option("--comment", metavar="TEXT", help="Reason; shown with the alert")]
ForOption = Annotated[str, typer.Option("--for", metavar="TIME", help="Duration: 30m, 2h, 1d12h; at most 30d")]
_UNITS = {"m": 60, "h": 3600, "d": 86_400}


def acknowledge(
    key: KeyArgument = None,
    latest: LatestOption = False,
    by: ByOption = None,
    comment: CommentOption = "",
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Acknowledge a firing alert: its notification is not repeated."""
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    with _firing_alert(settings, key, latest=latest) as (alert, writer):
        action = writer.acknowledge(alert, actor_name(by), comment)
    typer.echo(f"acknowledged\t{alert}\t{action.actor}")


def snooze(
    time: ForOption,
    key: KeyArgument = None,
    latest: LatestOption = False,
    by: ByOption = None,
    comment: CommentOption = "",
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Pause the notifications of a firing alert for some time; if it still fires then, it is notified again."""
    from triage.clock import rfc3339

    for_s = _seconds(time)
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    with _firing_alert(settings, key, latest=latest) as (alert, writer):
        action = writer.snooze(alert, actor_name(by), for_s, comment)
    typer.echo(f"snoozed\t{alert}\tuntil {rfc3339(action.until_ms)}")


def unacknowledge(
    key: KeyArgument = None,
    latest: LatestOption = False,
    by: ByOption = None,
    comment: CommentOption = "",
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Revoke the acknowledgement of a firing alert: its notification is repeated again."""
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    with _firing_alert(settings, key, latest=latest) as (alert, writer):
        action = writer.unacknowledge(alert, actor_name(by), comment)
    typer.echo(f"given back\t{alert}\t{action.actor}")


def assign(
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Whom; an empty name ends the assignment")],
    key: KeyArgument = None,
    latest: LatestOption = False,
    by: ByOption = None,
    comment: CommentOption = "",
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Assign a firing alert to somebody."""
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    with _firing_alert(settings, key, latest=latest) as (alert, writer):
        action = writer.assign(alert, actor_name(by), to.strip(), comment)
    typer.echo(f"assigned\t{alert}\tto {action.to}" if action.to else f"assigned\t{alert}\tto nobody")


def comment(
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="The comment")],
    key: KeyArgument = None,
    latest: LatestOption = False,
    by: ByOption = None,
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Comment on an alert; the receivers of its notification get the comment while it fires."""
    from triage.errors import ConfigError

    if not text.strip():
        raise ConfigError("--text is empty")
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    alert = find_named(settings, key, latest=latest)
    with open_writer(settings) as writer:
        action = writer.comment(alert.dedup_key, actor_name(by), text.strip())
    typer.echo(f"commented\t{alert.dedup_key}\t{action.actor}")


def resolve(
    key: KeyArgument = None,
    latest: LatestOption = False,
    by: ByOption = None,
    comment: CommentOption = "",
    bootstrap_servers: KafkaOption = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Resolve a firing alert; the same spike opens no other alert until it has been quiet or has doubled."""
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, elasticsearch__url=elasticsearch
    )
    with _firing_alert(settings, key, latest=latest) as (alert, writer):
        action = writer.resolve(alert, actor_name(by), comment)
    typer.echo(f"ended\t{alert}\t{action.actor}")


@silence_app.command("add")
def add_silence(
    match: Annotated[
        list[str], typer.Option("--match", metavar="FIELD=VALUE", help="May be repeated: all must match; != negates")
    ],
    time: ForOption,
    by: ByOption = None,
    comment: CommentOption = "",
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Mute matching alerts, present and future. They are still recorded."""
    from triage.alerting.lifecycle.silences import parse_matchers

    matchers, for_s = parse_matchers(match), _seconds(time)
    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    with open_writer(settings) as writer:
        silence = writer.silence(matchers, actor_name(by), for_s, comment)
    typer.echo(_line(silence))


@silence_app.command("list")
def list_silences(
    every: Annotated[bool, typer.Option("--all", help="Include silences that have ended")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line")] = False,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Print active silences, the one that ends last first."""
    import msgspec

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    silences, now_ms = _silences(settings)
    format_matchers = [silence for silence in silences if every or silence.until_ms > now_ms]
    for silence in format_matchers:
        typer.echo(msgspec.json.encode(silence).decode() if as_json else _line(silence))
    if not format_matchers:
        typer.echo("no silences", err=True)


@silence_app.command("expire")
def expire_silence(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Id, as `triage alerts silence list` prints it")],
    by: ByOption = None,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """End a silence now."""
    from triage.errors import TriageError

    settings = settings_from(config, assignments, kafka__bootstrap_servers=bootstrap_servers)
    silences, now_ms = _silences(settings)
    found = next((silence for silence in silences if silence.id == id_), None)
    if found is None:
        raise TriageError(f"no silence {id_!r}; see: triage alerts silence list --all")
    if found.until_ms <= now_ms:
        typer.echo(f"silence {id_} has ended already", err=True)
        return
    with open_writer(settings) as writer:
        typer.echo(_line(writer.expire(found, actor_name(by))))


def _silences(settings: "Settings") -> "tuple[list[Silence], int]":
    """All known silences, including ended ones, and the current time in ms."""
    from triage.alerting.app.actions import read_actions

    return read_actions(settings.kafka).silences.all(), settings.clock.build().now_ms()


def _open_alert(settings: "Settings", key: str | None, *, latest: bool) -> str:
    """The key of the firing alert that is meant. Raises TriageError if there is none, or it is over."""
    from triage.errors import TriageError

    alert = find_named(settings, key, latest=latest, firing=True)
    if alert.status == "resolved":
        raise TriageError(f"the alert {alert.dedup_key} ended at {alert.ended_at}; it cannot be changed any more")
    return alert.dedup_key


@contextmanager
def _firing_alert(settings: "Settings", key: str | None, *, latest: bool) -> "Iterator[tuple[str, ActionWriter]]":
    """The key of the firing alert that is meant, and a writer for an action on it."""
    whole = _open_alert(settings, key, latest=latest)
    with open_writer(settings) as writer:
        yield whole, writer


@contextmanager
def open_writer(settings: "Settings") -> "Iterator[ActionWriter]":
    from triage.alerting.app.actions import TOPIC, ActionWriter
    from triage.topics import require_topics

    clock = settings.clock.build()
    require_topics(settings.kafka, [TOPIC], clock=clock)
    writer = ActionWriter(settings.kafka, clock)
    try:
        yield writer
    finally:
        writer.close()


def _seconds(time: str) -> int:
    from triage.alerting.app.actions import LONGEST_S
    from triage.errors import ConfigError

    parts = re.findall(r"(\d+)([mhd])", time)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != time or not 0 < seconds <= LONGEST_S:
        raise ConfigError(f"--for takes a duration like 30m, 2h or 1d12h, at most {LONGEST_S // 86_400}d, not {time!r}")
    return seconds


def actor_name(by: str | None) -> str:
    import getpass

    if by and by.strip():
        return by.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _line(silence: "Silence") -> str:
    from triage.alerting.lifecycle.silences import format_matchers
    from triage.clock import rfc3339

    fields = (silence.id, rfc3339(silence.until_ms), format_matchers(silence.matchers), silence.actor, silence.comment)
    return "\t".join(field for field in fields if field)
