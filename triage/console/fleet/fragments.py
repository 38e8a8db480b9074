"""Parts of *Fleet* as HTML."""

from functools import partial

from markupsafe import Markup

from triage.clock import parse_rfc3339
from triage.console.data.dead_letters import DeadLetters
from triage.console.web.fragments import Tile, empty, tile_row
from triage.console.web.highlighting import cut
from triage.console.web.templates import render
from triage.fleet import FleetView
from triage.fleet.needs import state_of
from triage.fleet.wording import sentence
from triage.metrics import LONGEST_LATENCY_S
from triage.schemas.deadletter import DeadLetter
from triage.translations import Translations

_LETTERS = 50
_PAYLOAD_CHARS = 600
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


def attention(view: FleetView, translations: Translations) -> list[tuple[str, str]]:
    """List everything in `view` that needs an operator's attention as (severity, sentence), the most severe first."""
    return [(need.severity, sentence(need, translations)) for need in view.needs]


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
    """Render the time that each stage of the workers takes per batch, as a table."""
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
