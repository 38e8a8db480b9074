"""Parts of *Fleet* as HTML text."""

from collections.abc import Iterable, Sequence
from html import escape

from triage.console.data.dead_letters import DeadLetters
from triage.console.translations import Translations
from triage.console.web.fragments import empty
from triage.console.web.highlighting import cut
from triage.fleet import FleetView, ProcessView
from triage.fleet.assemble import NO_METRICS
from triage.schemas.deadletter import DeadLetter

# As the worker's own gauge: a loop that moves is never so long without a beat.
STILL_S = 30.0
_LETTERS = 50
_WORST = ("critical", "high", "medium")
_PAYLOAD_CHARS = 600


def figures_html(view: FleetView, dead: int | None, words: Translations) -> str:
    """The figures on top."""
    workers = [process for process in view.processes if process.kind == "worker"]
    well = sum(state_of(process) == "ok" for process in workers)
    if not view.lag:
        drain = words("fleet.no_lag")
    elif not view.interval_s:
        drain = words("fleet.measuring")
    elif view.drain_s is None:
        drain = words("fleet.lag_grows" if view.in_per_s > view.out_per_s else "fleet.lag_stands")
    else:
        drain = words("fleet.drained_in", duration=words.duration(int(view.drain_s * 1000)))
    latency = "–" if view.latency_p95_s is None else words("fleet.seconds", n=words.quantity(view.latency_p95_s))
    worst = any(state_of(process) in {"down", "stuck"} for process in workers) or not workers
    tiles = [
        _tile(words("fleet.workers"), f"{well}/{len(workers)}", words("fleet.workers_note"), hot=worst),
        _tile(words("fleet.lag"), words.number(view.lag), drain),
        _tile(
            words("fleet.in"),
            _rate(view, view.in_per_s, words),
            words("fleet.out_note", n=_rate(view, view.out_per_s, words)),
        ),
        _tile(words("fleet.latency"), latency, words("fleet.latency_note")),
        _tile(
            words("now.dead_letters"),
            words.number(dead),
            words("fleet.letters_note", n=words.number(sum(view.dead_letters.values()))),
        ),
    ]
    return f'<dl class="tiles">{"".join(tiles)}</dl>'


def state_of(process: ProcessView) -> str:
    """`stuck` before `waiting`: a loop that stands still says nothing of what it waits for."""
    if process.error is not None:
        return "unseen" if process.error == NO_METRICS else "down"
    if process.standing_still_s >= STILL_S:
        return "stuck"
    if process.waiting_for:
        return "waiting"
    return "fallback" if process.fallback else "ok"


def attention(view: FleetView, words: Translations) -> list[tuple[str, str]]:
    """(kind, sentence) of everything that an operator should look at, the worst first."""
    found: list[tuple[str, str]] = []
    orphans = [each for each in view.partitions if not each.worker]
    if view.partitions and len(orphans) == len(view.partitions):
        found.append(("critical", words("fleet.no_worker")))
    elif orphans:
        listed = ", ".join(f"{each.topic}/{each.partition}" for each in orphans[:5])
        found.append(("critical", words("fleet.orphans", n=len(orphans), listed=listed)))
    for process in view.processes:
        name = {"kind": words.term("process", process.kind), "name": process.name}
        state = state_of(process)
        if state == "stuck":
            still = words.duration(int(process.standing_still_s * 1000))
            found.append(("critical", words("fleet.is_stuck", duration=still, lag=words.number(process.lag), **name)))
        elif state == "down":
            found.append(("critical", words("fleet.is_down", why=process.error, lag=words.number(process.lag), **name)))
        elif state == "unseen":
            found.append(("medium", words("fleet.is_unseen", why=process.error, **name)))
        for dependency, why in process.waiting_for.items():
            found.append(("high", words("fleet.is_waiting", dependency=dependency, why=why, **name)))
        if process.fallback:
            found.append(("high", words("fleet.is_fallback", device=process.device, **name)))
    return sorted(found, key=lambda one: _WORST.index(one[0]))


def processes_html(view: FleetView, words: Translations) -> str:
    """One row a process."""
    columns = ("process", "state", "partitions", "lag", "in", "out", "busy", "device", "model", "still")
    rows = []
    for process in view.processes:
        state = state_of(process)
        device = " · ".join(part for part in (process.device, process.runtime, process.precision) if part)
        fallback = f' <span class="pill high">{words("fleet.fallback")}</span>' if process.fallback else ""
        kind, address = words.term("process", process.kind), process.address
        still = words("fleet.seconds", n=words.quantity(round(process.standing_still_s, 1)))
        rows.append(
            f'<tr class="is-{state}"><th scope="row">{escape(process.name)}<br><span class="meta">{escape(kind)}'
            f"{' · ' + escape(address) if address else ''}</span></th>"
            f'<td><span class="pill {_PILLS[state]}">{words(f"fleet.state_{state}")}</span>'
            f"{'<br><span class=meta>' + words('fleet.paused') + '</span>' if process.paused else ''}</td>"
            f'<td class="n">{process.partitions}</td><td class="n">{words.number(process.lag)}</td>'
            f'<td class="n">{_rate(view, process.in_per_s, words)}</td>'
            f'<td class="n">{_rate(view, process.out_per_s, words)}</td>'
            f'<td class="n">{words.percent(process.busy)}</td><td>{escape(device) or "–"}{fallback}</td>'
            f"<td>{escape(process.model) or '–'}</td>"
            f'<td class="n">{still if process.up else "–"}</td></tr>'
        )
    if not rows:
        return empty(words("fleet.nobody"), words("fleet.nobody_advice"))
    return _table(columns, rows, words, numeric={"partitions", "lag", "in", "out", "busy", "still"})


def partitions_html(view: FleetView, words: Translations) -> str:
    """One row a raw partition, those farthest behind first."""
    nobody = f"<b>{words('fleet.nobody_has_it')}</b>"
    rows = [
        f'<tr class="{"" if each.worker else "is-stuck"}"><th scope="row">{escape(each.topic)}/{each.partition}</th>'
        f'<td class="n">{words.number(each.lag)}</td><td class="n">{_rate(view, each.in_per_s, words)}</td>'
        f'<td class="n">{_rate(view, each.out_per_s, words)}</td>'
        f"<td>{escape(each.worker) or nobody}</td></tr>"
        for each in sorted(view.partitions, key=lambda one: (-one.lag, one.topic, one.partition))
    ]
    if not rows:
        return empty(words("fleet.no_partitions"), words("fleet.no_partitions_advice"))
    return _table(("partition", "lag", "in", "out", "worker"), rows, words, numeric={"lag", "in", "out"})


def stages_html(view: FleetView, words: Translations) -> str:
    """Where the time of a batch goes."""
    rows = [
        f'<tr><th scope="row">{escape(each.stage)}</th><td class="n">{words.quantity(round(each.p50_ms, 1))}</td>'
        f'<td class="n">{words.quantity(round(each.p95_ms, 1))}</td></tr>'
        for each in view.stages
    ]
    if not rows:
        return f"<p class='caption below'>{words('fleet.no_stages')}</p>"
    return _table(("stage", "p50", "p95"), rows, words, numeric={"p50", "p95"})


def dead_letters_html(letters: DeadLetters, words: Translations) -> str:
    """How many for which reason, and the last ones with what was in them."""
    if letters.total is None:
        return f"<p>{words('now.dead_unknown')}</p>"
    if not letters.total:
        return f"<p>{words('now.dead_none')}</p>"
    reasons = "".join(
        f"<li>{escape(words.term('reason', reason))} <b>{words.number(count)}</b></li>"
        for reason, count in letters.by_reason().items()
    )
    rows = [_letter(letter, words) for letter in letters.latest(_LETTERS)]
    table = _table(("time", "reason", "message", "position"), rows, words)
    return f'<ul class="shares">{reasons}</ul>{table}<p class="caption below">{words("fleet.letters_advice")}</p>'


def _letter(letter: DeadLetter, words: Translations) -> str:
    size = words("fleet.payload", n=words.number(letter.payload_bytes))
    return (
        f'<tr><td class="at">{escape(letter.failed_at[:19].replace("T", " "))}</td>'
        f'<th scope="row">{escape(words.term("reason", letter.reason))}<br>'
        f'<span class="meta">{escape(letter.stage)}</span></th>'
        f"<td>{escape(letter.message)}<details><summary>{size}</summary>"
        f"<pre>{escape(cut(letter.payload, _PAYLOAD_CHARS))}</pre></details></td>"
        f"<td><code>{escape(letter.key)}</code></td></tr>"
    )


_PILLS = {
    "ok": "good",
    "waiting": "high",
    "stuck": "critical",
    "down": "critical",
    "unseen": "medium",
    "fallback": "high",
}


def _table(columns: Sequence[str], rows: Iterable[str], words: Translations, numeric: Iterable[str] = ()) -> str:
    numbers = frozenset(numeric)
    head = "".join(
        f'<th scope="col"{" class=n" if name in numbers else ""}>{words(f"column.{name}")}</th>' for name in columns
    )
    return f'<table class="plain"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def _tile(name: str, value: str, note: str, *, hot: bool = False) -> str:
    return (
        f'<div class="tile {"hot" if hot else ""}"><dt>{name}</dt><dd class="value">{escape(value)}</dd>'
        f'<dd class="note">{escape(note)}</dd></div>'
    )


def _rate(view: FleetView, per_s: float, words: Translations) -> str:
    """A dash until there are two readings to compare."""
    if not view.interval_s:
        return "–"
    return words("fleet.per_s", n=words.quantity(round(per_s, 1)))
