"""Buffer for changes of an engine that are not stored yet, in the order in which they must be written. No I/O.

The module `state` describes the table entries and explains the order.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from triage.alerting.engine import state as stored
from triage.alerting.engine.state import Core, PendingNotification, Stored
from triage.alerting.engine.windows import Progress, WindowSum
from triage.alerting.evaluation.stored_baseline import StoredBaseline
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PagingState
from triage.schemas.alert import Chart, Evidence


@dataclass(slots=True)
class Changes:
    """The work of one flush of an engine, in order: write entries, then send notifications, then archive episodes.

    `writes` maps names of table entries to values, in order; None deletes the entry. `forgotten` are the dedup keys of
    episodes that the engine no longer holds.
    """

    writes: dict[str, Any] = field(default_factory=dict)
    notifications: list[PendingNotification] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)


class ChangelogBuffer:
    """Collects an engine's changes until the next flush takes them, and puts them in the required order.

    `closed_ms` is the end (event time) of the last closed step in the most recent entry `state`; None before the first.
    """

    def __init__(self) -> None:
        self.closed_ms: int | None = None
        self._serial = 0
        self._slots: dict[tuple[str, str], int] = {}
        self._sums: dict[tuple[int, str], WindowSum] = {}
        self._writes: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        self._updates: dict[str, Any] = {}
        self._deletes: list[str] = []
        self._notifications: list[PendingNotification] = []
        self._episodes: list[Episode] = []

    def restore(self, found: Stored, episodes: Iterable[Episode]) -> None:
        """Continue from the stored state `found`; the next `take` has its undelivered notifications and `episodes`."""
        self.closed_ms = found.core.progress.closed_ms
        self._serial, self._slots = found.core.serial, found.slots
        self._notifications += found.notifications.values()
        self._episodes += episodes

    @property
    def next_serial(self) -> int:
        """Serial number of the next entry `state` in the table, which is written with the changes collected so far."""
        return self._serial + 1

    def put_sum(self, start_ms: int, key: str, window_sum: WindowSum) -> None:
        self._sums[start_ms, key] = window_sum

    def delete_sum(self, start_ms: int, key: str) -> None:
        self._sums.pop((start_ms, key), None)
        self._deletes.append(stored.sum_name(start_ms, key))

    def add_notification(self, notification: PendingNotification) -> None:
        """Add a new notification: it is written to the table and then sent."""
        self._writes[stored.notification_name(notification)] = msgspec.to_builtins(notification)
        self._notifications.append(notification)

    def update_notification(self, notification: PendingNotification) -> None:
        """Store a notification again, with fewer pending receivers.

        It is written after the entry `state`, which records the receivers that have accepted it.
        """
        self._updates[stored.notification_name(notification)] = msgspec.to_builtins(notification)

    def delete_notification(self, notification: PendingNotification) -> None:
        name = stored.notification_name(notification)
        self._updates.pop(name, None)
        self._deletes.append(name)

    def put_evidence(self, dedup_key: str, evidence: Evidence) -> None:
        self._writes[f"evidence:{dedup_key}"] = msgspec.to_builtins(evidence)

    def delete_evidence(self, dedup_key: str) -> None:
        self._deletes.append(f"evidence:{dedup_key}")

    def put_chart(self, dedup_key: str, chart: Chart) -> None:
        self._writes[f"chart:{dedup_key}"] = msgspec.to_builtins(chart)

    def delete_chart(self, dedup_key: str) -> None:
        self._deletes.append(f"chart:{dedup_key}")

    def put_baseline(self, rule: str, key: str, baseline: StoredBaseline) -> None:
        slot = 1 - self._slots.get((rule, key), 1)
        self._last[stored.base_name(slot, rule, key)] = msgspec.to_builtins(baseline)
        if baseline.state is None:
            self._slots.pop((rule, key), None)
            self._deletes += [stored.base_name(slot, rule, key) for slot in (0, 1)]
        else:
            self._slots[rule, key] = slot

    def put_state(self, progress: Progress, episodes: list[Episode], paging: PagingState) -> None:
        """Add the table entry `state` to the changes: progress, episodes and pages of the partition.

        Call it after `put_baseline`.
        """
        self._serial += 1
        self._last["state"] = stored.pack(Core(progress, self._serial, episodes, paging, stored.VERSION))
        self.closed_ms = progress.closed_ms

    def take(self, episodes: list[Episode]) -> Changes:
        """Return all collected changes and start with an empty buffer.

        `episodes` are archived in this flush, before those that `restore` scheduled.
        """
        sums = {stored.sum_name(*at): msgspec.to_builtins(window_sum) for at, window_sum in self._sums.items()}
        writes = sums | self._writes | self._last
        # A notification changes only after `state` says which receivers took it. An entry is deleted only after the
        # writes that made it needless.
        after = self._updates | dict.fromkeys(self._deletes)
        for name in writes.keys() & after.keys():
            del writes[name]
        writes |= after
        changes = Changes(writes, self._notifications, episodes + self._episodes)
        self._sums, self._writes, self._last, self._updates, self._deletes = {}, {}, {}, {}, []
        self._notifications, self._episodes = [], []
        return changes
