"""Parts of *Fleet* as HTML."""

from functools import partial

from markupsafe import Markup

from triage.clock import parse_rfc3339
from triage.console.data.dead_letters import DeadLetters
from triage.console.web.fragments import Tile, empty, tile_row
from triage.console.web.highlighting import cut
from triage.console.web.templates import render
from triage.fleet import FleetView, ProcessView
from triage.fleet.assemble import NO_METRICS
from triage.fleet.growing_lag import growing_lag
from triage.metrics import LONGEST_LATENCY_S
from triage.schemas.deadletter import DeadLetter
from triage.translations import Translations

# As the worker's own gauge: a loop that works always moves within this time.
STILL_S = 30.0
_LETTERS = 50
_WORST = ("critical", "high", "medium")
_PAYLOAD_CHARS = 600
_LAG_CAUSES = {
    "no_worker": "fleet.lag_cause_no_worker",
    "waiting": "fleet.lag_cause_waiting",
    "busy": "fleet.lag_cause_busy",
    "unknown": "fleet.lag_cause_unknown",
}
_PILLS = {
    "ok": "good",
    "waiting": "high",
    "stuck": "critical",
    "down": "critical",
    "unseen": "medium",
    "fallback": "high",
}


def tiles(view: FleetView, dead: int | None, translations: Translations) -> Markup:
    """Render the key numbers at the top of *Fleet*; `dead` is the number of dead letters, None while unknown."""
    workers = [process for process in view.processes if process.kind == "worker"]
    well = sum(state_of(process) == "ok" for process in workers)
    if not view.lag:
        drain = translations("fleet.no_lag")
    elif not view.interval_s:
        drain = translations("fleet.measuring")
    elif view.drain_s is None:
        drain = translations("fleet.lag_grows" if view.in_per_s > view.out_per_s else "fleet.lag_stands")
    else:
        drain = translations("fleet.drained_in", duration=translations.duration(int(view.drain_s * 1000)))
    latency = "–"
    if view.latency_p95_s is not None:
        shown = translations("fleet.seconds", n=translations.quantity(view.latency_p95_s))
        latency = f"> {shown}" if view.latency_p95_s >= LONGEST_LATENCY_S else shown
    worst = any(state_of(process) in {"down", "stuck"} for process in workers) or not workers
    out_per_s = translations("fleet.out_note", n=_rate(view, translations, view.out_per_s))
    letters = translations("fleet.letters_note", n=sum(view.dead_letters.values()))
    return tile_row(
        [
            Tile(
                translations("fleet.workers"), f"{well}/{len(workers)}", translations("fleet.workers_note"), hot=worst
            ),
            Tile(translations("fleet.lag"), translations.number(view.lag), drain),
            Tile(translations("fleet.in"), _rate(view, translations, view.in_per_s), out_per_s),
            Tile(translations("fleet.latency"), latency, translations("fleet.latency_note")),
            Tile(translations("now.dead_letters"), translations.number(dead), letters),
        ]
    )


def state_of(process: ProcessView) -> str:
    """State of a process in one word: unseen, down, stuck, waiting, fallback or ok.

    `stuck` is checked before `waiting`, because a main loop that does not move cannot report anything new.
    """
    if process.error is not None:
        return "unseen" if process.error == NO_METRICS else "down"
    if process.standing_still_s >= STILL_S:
        return "stuck"
    if process.waiting_for:
        return "waiting"
    return "fallback" if process.fallback else "ok"


def attention(view: FleetView, translations: Translations) -> list[tuple[str, str]]:
    """Everything that an operator should look at, as (severity, sentence), the worst first."""
    needs: list[tuple[str, str]] = []
    orphans = [partition for partition in view.partitions if not partition.worker]
    if view.partitions and len(orphans) == len(view.partitions):
        needs.append(("critical", translations("fleet.no_worker")))
    elif orphans:
        listed = ", ".join(f"{partition.topic}/{partition.partition}" for partition in orphans[:5])
        needs.append(("critical", translations("fleet.orphans", n=len(orphans), listed=listed)))
    if view.partitions and not any(process.kind == "alerter" for process in view.processes):
        needs.append(("high", translations("fleet.no_alerter")))
    if (lag := growing_lag(view)) is not None:
        cause = translations(_LAG_CAUSES[lag.cause])
        per_s = translations.quantity(round(lag.per_s, 1))
        needs.append(("high", translations("fleet.lag_is_growing", n=lag.records, per_s=per_s, cause=cause)))
    for process in view.processes:
        needs += _needs(process, translations)
    return sorted(needs, key=lambda need: _WORST.index(need[0]))


def _needs(process: ProcessView, translations: Translations) -> list[tuple[str, str]]:
    name = {"kind": translations.term("process", process.kind), "name": process.name}
    waiting = translations("fleet.waiting", n=process.lag)
    needs: list[tuple[str, str]] = []
    match state_of(process):
        case "stuck":
            still = translations.duration(int(process.standing_still_s * 1000))
            needs.append(("critical", translations("fleet.is_stuck", duration=still, waiting=waiting, **name)))
        case "down":
            needs.append(("critical", translations("fleet.is_down", why=process.error, waiting=waiting, **name)))
        case "unseen":
            needs.append(("medium", translations("fleet.is_unseen", why=process.error, **name)))
    for dependency, why in process.waiting_for.items():
        needs.append(("high", translations("fleet.is_waiting", dependency=dependency, why=why, **name)))
    if process.fallback:
        needs.append(("high", translations("fleet.is_fallback", device=process.device, **name)))
    return needs


def attention_html(view: FleetView, translations: Translations) -> Markup:
    return render("fleet/attention.html", translations, needs=attention(view, translations))


def processes_html(view: FleetView, translations: Translations) -> Markup:
    """Render the processes as a table with one row each."""
    if not view.processes:
        return empty(translations("fleet.nobody"), translations.html("fleet.nobody_advice"))
    return render(
        "fleet/processes.html",
        translations,
        processes=[(process, state_of(process)) for process in view.processes],
        pills=_PILLS,
        rate=partial(_rate, view, translations),
    )


def partitions_html(view: FleetView, translations: Translations) -> Markup:
    """Render the partitions of the raw topics as a table with one row each, the largest lag first."""
    if not view.partitions:
        return empty(translations("fleet.no_partitions"), translations.html("fleet.no_partitions_advice"))
    return render(
        "fleet/partitions.html",
        translations,
        partitions=sorted(view.partitions, key=lambda each: (-each.lag, each.topic, each.partition)),
        rate=partial(_rate, view, translations),
    )


def stages_html(view: FleetView, translations: Translations) -> Markup:
    """Render the time that each stage takes per batch."""
    return render("fleet/stages.html", translations, stages=view.stages)


def dead_letters_html(letters: DeadLetters, now_ms: int, translations: Translations) -> Markup:
    """Render the number of dead letters per reason, and the latest ones with their content."""
    return render(
        "fleet/dead_letters.html",
        translations,
        total=letters.total,
        reasons=letters.by_reason(),
        latest=[(letter, _failed_ms(letter)) for letter in letters.latest(_LETTERS)],
        now_ms=now_ms,
        cut=cut,
        payload_chars=_PAYLOAD_CHARS,
    )


def _failed_ms(letter: DeadLetter) -> int:
    """Time of the failure in ms; for a dead letter with an invalid time, the timestamp of its raw record."""
    try:
        return parse_rfc3339(letter.failed_at)
    except ValueError:
        return letter.timestamp_ms


def _rate(view: FleetView, translations: Translations, per_s: float) -> str:
    """A rate per second as text; a dash until there are two readings to compare."""
    if not view.interval_s:
        return "–"
    return translations("fleet.per_s", n=translations.quantity(round(per_s, 1)))
