"""Stored state of a partition: the entries of its table, and their names. Pure.

The entry `state` holds progress, episodes and pages together, so that they are consistent after a crash:

    sum:<start>:<key>            counts of a step, as long as rules or baselines need them
    page:<id>                    a notification that some receivers have not accepted yet
    note:<id>                    the same for a note; alerters of versions before notes ignore it
    chart:<dedup key>            an episode's chart
    evidence:<dedup key>         examples of an episode from the index, and values that stand out in it
    base:<slot>:<rule>:<key>     a baseline; the entry of the other slot stays until `state` is written
    state                        everything else

A flush writes sums, new pages and baselines, then `state`; after that it updates the receivers for which a page still
waits, and deletes entries that the new `state` does not need. Field names are stored in the changelog: a renamed field
loses its value at the next start.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from triage.alerting.engine.windows import Progress, WindowSum
from triage.alerting.evaluation.stored_baseline import StoredBaseline
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PagingState
from triage.errors import ConfigError
from triage.schemas.alert import Alert, Chart, Event, Evidence

# 1: episodes say which receivers took their page.
VERSION = 1


class PendingNotification(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A notification that the receivers in `pending` have not accepted yet; `also` are the other alerts of the page.

    `serial` is the serial number of the entry `state` that was written with it; `repeat` marks a repeated page.
    """

    id: str
    event: Event
    alert: Alert
    also: list[Alert] = []
    pending: list[str]
    repeat: bool = False
    serial: int = 0


class Core(msgspec.Struct):
    """Content of the table entry `state`, stored compressed: progress, episodes and pages of one partition.

    `serial` increases by one with each write. `version` is the format version of the alerter that wrote the entry; 0 if
    the entry has none.
    """

    progress: Progress
    serial: int = 0
    episodes: list[Episode] = []
    paging: PagingState = msgspec.field(default_factory=PagingState)
    version: int = 0


@dataclass(slots=True)
class Stored:
    """The table entries of one partition, decoded.

    `sums` are by start of the step in ms and key, `notifications` by id, `evidence` and `charts` by dedup key,
    `baselines` by rule and key. `slots` has, by (rule, key), the slot (0 or 1) of the entry that holds the current
    baseline.
    """

    core: Core
    sums: dict[int, dict[str, WindowSum]] = field(default_factory=dict)
    notifications: dict[str, PendingNotification] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)
    baselines: dict[str, dict[str, StoredBaseline]] = field(default_factory=dict)
    slots: dict[tuple[str, str], int] = field(default_factory=dict)


def pack(core: Core) -> str:
    return base64.b64encode(zlib.compress(msgspec.msgpack.encode(core), 1)).decode()


def unpack(value: str) -> Core:
    """Decode the value of the table entry `state`. Raises ConfigError if a newer alerter wrote it."""
    core = msgspec.msgpack.decode(zlib.decompress(base64.b64decode(value)), type=Core)
    if core.version > VERSION:
        raise ConfigError(
            f"the stored state is of version {core.version}, written by a newer alerter; this one reads versions up to "
            f"{VERSION}. Run the newer version, or start without state: stop all alerters, delete the topic "
            "<prefix>.<alerting.group>-state-changelog and the consumer group <prefix>.<alerting.group>",
            where="alerter",
        )
    return core


def base_name(slot: int, rule: str, key: str) -> str:
    return f"base:{slot}:{rule}:{key}"


def notification_name(notification: PendingNotification) -> str:
    return f"{'note' if notification.event == 'note' else 'page'}:{notification.id}"


def sum_name(start_ms: int, key: str) -> str:
    return f"sum:{start_ms}:{key}"


def read(entries: Mapping[str, Any], step_ms: int) -> Stored:
    """Decode the table entries of a partition, including those of a flush that a crash interrupted.

    Baselines and pages that are newer than `state` are ignored, because their counts are read again. State of earlier
    versions is converted. `step_ms` is the length of a step. Raises ConfigError for state of a newer version.
    """
    stored = Stored(unpack(entries["state"]) if "state" in entries else Core(Progress()))
    closed_ms = stored.core.progress.closed_ms
    for name, value in entries.items():
        kind, _, rest = name.partition(":")
        if kind == "sum":
            start, _, key = rest.partition(":")
            stored.sums.setdefault(int(start), {})[key] = msgspec.convert(value, WindowSum)
        elif kind == "evidence":
            stored.evidence[rest] = msgspec.convert(value, Evidence)
        elif kind == "chart":
            stored.charts[rest] = msgspec.convert(value, Chart)
        elif kind in {"page", "note"}:
            notification = msgspec.convert(value, PendingNotification)
            if notification.serial <= stored.core.serial:
                stored.notifications[notification.id] = notification
        elif kind == "base":
            _read_baseline(stored, rest, value, closed_ms, step_ms)
    stored.notifications = dict(sorted(stored.notifications.items(), key=lambda item: item[1].serial))
    if stored.core.version < VERSION:
        _note_who_took_pages(stored)
    return stored


def _note_who_took_pages(stored: Stored) -> None:
    """Convert state of version 0, which lacks the receivers that took a page: all but those still pending."""
    waiting: dict[str, set[str]] = {}
    for notification in stored.notifications.values():
        if notification.event == "firing" and not notification.repeat:
            waiting.setdefault(notification.alert.dedup_key, set()).update(notification.pending)
    pages = stored.core.paging.pages
    for episode in stored.core.episodes:
        if (page := pages.get(episode.page or "")) is not None:
            episode.taken_by = [name for name in page.receivers if name not in waiting.get(page.key, ())]


def _read_baseline(stored: Stored, name: str, value: Any, closed_ms: int | None, step_ms: int) -> None:
    slot, rule, key = name.split(":", 2)
    baseline = msgspec.convert(value, StoredBaseline)
    if not baseline.primed and (closed_ms is None or baseline.at_ms + step_ms > closed_ms):
        return
    of_rule = stored.baselines.setdefault(rule, {})
    known = of_rule.get(key)
    if known is None or known.at_ms < baseline.at_ms:
        of_rule[key] = baseline
        stored.slots[rule, key] = int(slot)
