"""What an engine has still to store, in the order in which it must reach the changelog (see `state`). No I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from triage.alerting.engine import state as stored
from triage.alerting.engine.state import Core, PendingNotification, Stored
from triage.alerting.engine.windows import Progress, WindowSum
from triage.alerting.evaluation.stored_baseline import Baseline
from triage.alerting.lifecycle.episode import Episode
from triage.alerting.lifecycle.grouping import PagingState
from triage.schemas.alert import Evidence


@dataclass(slots=True)
class Changes:
    """What to write (None deletes), in order, then to send, then to store; nothing comes of `forgotten` any more."""

    writes: dict[str, Any] = field(default_factory=dict)
    owed: list[PendingNotification] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)


class ChangelogBuffer:
    """Collects changes until they are taken. `closed_ms` is up to where steps were closed when `state` was written."""

    def __init__(self) -> None:
        self.closed_ms: int | None = None
        self._serial = 0
        self._slots: dict[tuple[str, str], int] = {}
        self._sums: dict[str, WindowSum] = {}
        self._writes: dict[str, Any] = {}
        self._last: dict[str, Any] = {}
        self._deletes: list[str] = []
        self._owed: list[PendingNotification] = []
        self._episodes: list[Episode] = []

    def restore(self, found: Stored, episodes: Iterable[Episode]) -> None:
        """Go on from stored state; what is owed, and these episodes, are to be sent and stored again."""
        self.closed_ms = found.core.progress.closed_ms
        self._serial, self._slots = found.core.serial, found.slots
        self._owed += found.owed.values()
        self._episodes += episodes

    @property
    def next_serial(self) -> int:
        """Of the entry `state` that will be written with what is collected now."""
        return self._serial + 1

    def sum(self, start_ms: int, key: str, found: WindowSum) -> None:
        self._sums[stored.sum_name(start_ms, key)] = found

    def sum_gone(self, start_ms: int, key: str) -> None:
        name = stored.sum_name(start_ms, key)
        self._sums.pop(name, None)
        self._deletes.append(name)

    def owe(self, owed: PendingNotification) -> None:
        """A notification to be stored, and sent."""
        self.owed_still(owed)
        self._owed.append(owed)

    def owed_still(self, owed: PendingNotification) -> None:
        """One of its receivers has been told."""
        self._writes[f"page:{owed.id}"] = msgspec.to_builtins(owed)

    def owed_no_more(self, owed: PendingNotification) -> None:
        self._deletes.append(f"page:{owed.id}")

    def evidence(self, dedup_key: str, evidence: Evidence) -> None:
        self._writes[f"evidence:{dedup_key}"] = msgspec.to_builtins(evidence)

    def evidence_gone(self, dedup_key: str) -> None:
        self._deletes.append(f"evidence:{dedup_key}")

    def baseline(self, rule: str, key: str, baseline: Baseline) -> None:
        slot = 1 - self._slots.get((rule, key), 1)
        self._last[stored.base_name(slot, rule, key)] = msgspec.to_builtins(baseline)
        if baseline.state is None:
            self._slots.pop((rule, key), None)
            self._deletes += [stored.base_name(slot, rule, key) for slot in (0, 1)]
        else:
            self._slots[rule, key] = slot

    def state(self, progress: Progress, episodes: list[Episode], paging: PagingState) -> None:
        """Everything else, after the baselines."""
        self._serial += 1
        self._last["state"] = stored.pack(Core(progress, self._serial, episodes, paging))
        self.closed_ms = progress.closed_ms

    def take(self, episodes: list[Episode]) -> Changes:
        """All that was collected; `episodes` are to be archived, before those of a restart."""
        writes = {name: msgspec.to_builtins(found) for name, found in self._sums.items()} | self._writes | self._last
        # What is deleted is behind what made it needless.
        for name in self._deletes:
            writes.pop(name, None)
            writes[name] = None
        changes = Changes(writes, self._owed, episodes + self._episodes)
        self._sums, self._writes, self._last, self._deletes, self._owed, self._episodes = {}, {}, {}, [], [], []
        return changes
