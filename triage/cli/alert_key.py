"""Finds the alert that a command refers to: by its key, the beginning of its key, or as the latest one."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triage.config import Settings
    from triage.schemas.alert import Alert

KeyArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[KEY]",
        help="Key, as `triage alerts list` prints it, or enough of its beginning to be the only one",
        show_default=False,
    ),
]
LatestOption = Annotated[bool, typer.Option("--latest", help="The alert that began last, instead of a key")]

_BEGIN = "triage-"
_LISTED = 5


def find_named(settings: "Settings", key: str | None, *, latest: bool, firing: bool = False) -> "Alert":
    """Find the alert with this dedup key, or with the only key that begins so; with `latest` the one that began last.

    `firing` excludes ended alerts, unless `key` is a complete key. Raises ConfigError unless exactly one of `key` and
    `latest` is given, TriageError if no alert or more than one matches.
    """
    from triage.elastic.client import connect
    from triage.elastic.search import alerts_with_prefix, find_alert, recent_alerts
    from triage.errors import ConfigError, TriageError

    if latest == bool(key):
        raise ConfigError(
            "name one alert: its key or the beginning of it, as `triage alerts list` prints it, or --latest"
        )
    index = settings.elasticsearch.alerts_index
    client = connect(settings.elasticsearch)
    try:
        if not key:
            found = recent_alerts(client, settings.elasticsearch, 1, status="firing" if firing else None)
            if not found:
                raise TriageError("no alert is firing" if firing else f"the index {index} has no alerts")
            return found[0]
        if (alert := find_alert(client, settings.elasticsearch, key)) is not None:
            return alert
        begin = key if key.startswith(_BEGIN) or _BEGIN.startswith(key) else _BEGIN + key
        found = alerts_with_prefix(client, settings.elasticsearch, begin, 100)
    finally:
        client.close()
    meant = [alert for alert in found if alert.status == "firing"] if firing else found
    if len(meant) == 1:
        return meant[0]
    if not found:
        raise TriageError(f"no alert {key!r} in the index {index}; see: triage alerts list")
    if not meant:
        raise TriageError(f"the alert {found[0].dedup_key} ended at {found[0].ended_at}; it cannot be changed any more")
    listed = "".join(f"\n  {alert.dedup_key}  {alert.title}" for alert in meant[:_LISTED])
    more = f"\n  and {len(meant) - _LISTED} more" if len(meant) > _LISTED else ""
    raise TriageError(f"{len(meant)} alerts have a key that begins with {key!r}; give more of it:{listed}{more}")
