"""The table of a suite's outcomes, as Markdown."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_Row = Mapping[str, Any]

HEAD = "| fault | struck | records | lost | twice | recovery median s | recovery max s |"


def table(outcomes: Sequence[_Row], skipped: Iterable[tuple[str, str]] = ()) -> str:
    """One row per fault, the totals last. `records` of a fault are those fed from its strike to the next one."""
    lines = [HEAD, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    strikes = [(outcome, strike) for outcome in outcomes for strike in outcome["strikes"]]
    for name in sorted({strike["fault"] for _, strike in strikes}, key=str.lower):
        own = [(outcome, strike) for outcome, strike in strikes if strike["fault"] == name]
        times = [strike["recovery_s"] for _, strike in own if strike["recovery_s"] is not None]
        lines.append(
            f"| {name} | {len(own)} | {sum(strike['records'] for _, strike in own):,} | {_in_runs(own, 'lost')} "
            f"| {_in_runs(own, 'twice')} | {_number(times, statistics.median)} | {_number(times, max)} |"
        )
    lines += [f"| {name} | skipped: {why} | | | | | |" for name, why in skipped]
    times = [strike["recovery_s"] for _, strike in strikes if strike["recovery_s"] is not None]
    lines.append(
        f"| **all, {len(outcomes)} runs** | {len(strikes)} | {sum(outcome['records'] for outcome in outcomes):,} "
        f"| {sum(outcome['lost'] for outcome in outcomes)} | {sum(outcome['twice'] for outcome in outcomes)} "
        f"| {_number(times, statistics.median)} | {_number(times, max)} |"
    )
    lines += ["", order(outcomes)]
    return "\n".join(lines)


def order(outcomes: Sequence[_Row]) -> str:
    """Sentence on the ids that were sent in several versions; outcomes of older suites have none."""
    names = ("versioned", "older", "expired")
    versioned, older, expired = (sum(outcome.get(name, 0) for outcome in outcomes) for name in names)
    unread = f" Retention deleted all versions of {expired} more before they were read." if expired else ""
    return f"Order: {older} of {versioned:,} ids in several versions ended on an older one.{unread}"


def _in_runs(own: Sequence[tuple[_Row, _Row]], kind: str) -> int:
    """Lost or duplicated records of the runs that included this fault; to find the cause, run it alone (`--only`)."""
    return sum({outcome["seed"]: outcome[kind] for outcome, _ in own}.values())


def _number(values: Sequence[float], function: Callable[[Sequence[float]], float]) -> str:
    return f"{function(values):.1f}" if values else "-"
