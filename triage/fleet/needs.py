"""Everything in a view of the fleet that needs an operator's attention, as a list with numbers.

`triage.fleet.wording` formulates it as sentences, in each language.
"""

from collections.abc import Iterator

from triage.fleet.growing_lag import growing_lag
from triage.fleet.view import FleetView, Need, ProcessView

NO_METRICS = "no metrics: set its health_port, or name it in fleet.processes"
# As the worker's own gauge: a loop that works always moves within this time.
STILL_S = 30.0
_WORST = ("critical", "high", "medium")
_LISTED = 5


def needs_of(view: FleetView) -> list[Need]:
    """List everything in the view that needs attention, most severe first.

    The view's `unread` and `console_error` must already be set.
    """
    found = [*_unread(view), *_of_group(view), *_of_partitions(view)]
    for process in view.processes:
        found += _of_process(process)
    found += _of_rules(view)
    if view.console_error is not None:
        found.append(Need("no_console", "medium", {"address": view.console_url, "why": view.console_error}))
    return sorted(found, key=lambda need: _WORST.index(need.severity))


def state_of(process: ProcessView) -> str:
    """State of a process in one word: unseen, down, stuck, waiting, fallback or ok.

    `stuck` is checked before `waiting`, because a main loop that hangs cannot update what it waits for.
    """
    if process.error is not None:
        return "unseen" if process.error == NO_METRICS else "down"
    if process.standing_still_s >= STILL_S:
        return "stuck"
    if process.waiting_for:
        return "waiting"
    return "fallback" if process.fallback else "ok"


def _unread(view: FleetView) -> Iterator[Need]:
    for why in view.unread:
        yield Need("unread", "critical", {"why": why})


def _of_group(view: FleetView) -> Iterator[Need]:
    orphans = [f"{each.topic}/{each.partition}" for each in view.partitions if not each.worker]
    if view.partitions and len(orphans) == len(view.partitions):
        yield Need("no_worker", "critical")
    elif orphans:
        yield Need("orphans", "critical", {"n": len(orphans), "listed": ", ".join(orphans[:_LISTED])})
    if view.partitions and not any(process.kind == "alerter" for process in view.processes):
        yield Need("no_alerter", "high")
    if (lag := growing_lag(view)) is not None:
        yield Need("lag_grows", "high", {"n": lag.records, "per_s": lag.per_s, "cause": lag.cause})


def _of_partitions(view: FleetView) -> Iterator[Need]:
    for each in view.partitions:
        if each.expired:
            yield Need("retention", "critical", {"n": each.expired, "partition": f"{each.topic}/{each.partition}"})


def _of_process(process: ProcessView) -> Iterator[Need]:
    who: dict[str, str | int | float] = {"process": process.kind, "name": process.name}
    match state_of(process):
        case "stuck":
            yield Need("stuck", "critical", {**who, "seconds": process.standing_still_s, "n": process.lag})
        case "down":
            yield Need("down", "critical", {**who, "why": process.error or "", "n": process.lag})
        case "unseen":
            yield Need("unseen", "medium", {**who, "why": process.error or ""})
    for dependency, why in process.waiting_for.items():
        yield Need("waits", "high", {**who, "dependency": dependency, "why": why})
    if process.expired:
        yield Need("expired", "high", {**who, "n": process.expired})
    if process.fallback:
        yield Need("fallback", "high", {**who, "device": process.device})


def _of_rules(view: FleetView) -> Iterator[Need]:
    """Alert rules that cannot fire for any key, whatever comes."""
    unseen = sorted(rule for rule, keys in view.rules.items() if not keys.get("watched"))
    young = sorted(rule for rule, keys in view.rules.items() if 0 < keys.get("watched", 0) <= keys.get("learning", 0))
    if unseen:
        yield Need("rules_unseen", "medium", {"listed": ", ".join(unseen)})
    if young:
        yield Need("rules_learn", "medium", {"listed": ", ".join(young)})
