"""Renders the screen of `triage top`."""

from collections.abc import Callable
from itertools import cycle

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from triage.fleet import FleetView, PartitionLag, ProcessView
from triage.metrics import LONGEST_LATENCY_S

SORTS: dict[str, Callable[[PartitionLag], tuple[float, str, int]]] = {
    "lag": lambda each: (-each.lag, each.topic, each.partition),
    "in": lambda each: (-each.in_per_s, each.topic, each.partition),
    "out": lambda each: (-each.out_per_s, each.topic, each.partition),
    "name": lambda each: (0, each.topic, each.partition),
}
_MIN_PARTITIONS = 3
_MAX_ROWS = 5
_SEVERITIES = {"critical": "bold red", "high": "red", "medium": "yellow"}


class Screen:
    """The screen of `triage top`: the order of partitions (`sort`), a flag for pausing, and the last `error`.

    `error` is None after a successful reading.
    """

    def __init__(self, sort: str) -> None:
        order = list(SORTS)
        at = order.index(sort)
        self._sorts = cycle([*order[at:], *order[:at]])
        self.sort = next(self._sorts)
        self.paused = False
        self.error: str | None = None

    def press(self, key: str) -> None:
        if key in {"p", "P", " "}:
            self.paused = not self.paused
        elif key in {"s", "S"}:
            self.sort = next(self._sorts)

    def of(self, view: FleetView, rows: int | None) -> RenderableType:
        """Render the fleet for a terminal of `rows` lines; None: all of it, without the line of key bindings."""
        parts: list[RenderableType] = [self._head(view, keys=rows is not None), *_problems(view, self.error)]
        side_by_side = Table.grid(padding=(0, 4))
        side_by_side.add_row(_stages(view), _dead_letters(view), _alerts(view))
        parts += [_processes(view), side_by_side]
        used = 11 + len(view.processes) + max(len(view.stages), 1) + min(len(view.problems), _MAX_ROWS)
        max_rows = len(view.partitions) if rows is None else max(_MIN_PARTITIONS, rows - used)
        return Group(*parts, self._partitions(view, max_rows))

    def _head(self, view: FleetView, *, keys: bool) -> RenderableType:
        state = "[bold yellow]paused[/]  " if self.paused else ""
        hint = f"  {state}[dim]q quit  p pause  s sort ({self.sort})  r now[/]" if keys else ""
        rates = [
            f"in [bold]{view.in_per_s:,.1f}[/]/s",
            f"out [bold]{view.out_per_s:,.1f}[/]/s",
            f"lag [bold]{view.lag:,}[/]" + (f" (drains in {_span(view.drain_s)})" if view.drain_s else ""),
        ]
        if view.latency_p50_s is not None and view.latency_p95_s is not None:
            rates.append(f"latency p50 {_latency(view.latency_p50_s)}, p95 {_latency(view.latency_p95_s)}")
        return Group(
            Text.from_markup(f"[bold]triage top[/]  {view.at[:19]}Z, over {view.interval_s:.0f} s{hint}"),
            Text.from_markup("   ".join(rates)),
        )

    def _partitions(self, view: FleetView, max_rows: int) -> RenderableType:
        if not view.partitions:
            return Text("no raw partitions: run triage topics apply", style="yellow")
        shown = sorted(view.partitions, key=SORTS[self.sort])[:max_rows]
        more = len(view.partitions) - len(shown)
        table = _table()
        table.add_column("topic")
        for name in ("partition", "lag", "in/s", "out/s"):
            table.add_column(name, justify="right")
        table.add_column("worker")
        for each in shown:
            table.add_row(
                escape(each.topic),
                str(each.partition),
                f"[{'red' if each.lag >= 10_000 else 'yellow' if each.lag >= 100 else 'default'}]{each.lag:,}[/]",
                f"{each.in_per_s:,.1f}",
                f"{each.out_per_s:,.1f}",
                escape(each.worker) or "[red]nobody[/]",
            )
        return _titled(f"Partitions by {self.sort}" + (f", {more} more" if more else ""), table)


def _problems(view: FleetView, error: str | None) -> list[RenderableType]:
    problems = ([error] if error else []) + view.problems
    lines: list[RenderableType] = [Text(f"! {each}", style="red") for each in problems[:_MAX_ROWS]]
    if len(problems) > _MAX_ROWS:
        lines.append(Text(f"! and {len(problems) - _MAX_ROWS} more", style="red"))
    return lines


def _processes(view: FleetView) -> RenderableType:
    table = _table()
    table.add_column("process")
    table.add_column("state")
    for name in ("in/s", "out/s", "lag", "parts", "busy", "batch", "fill"):
        table.add_column(name, justify="right")
    table.add_column("runs")
    for each in view.processes:
        works = each.up and each.kind == "worker"
        table.add_row(
            escape(f"{each.kind} {each.name}"),
            _state(each),
            f"{each.in_per_s:,.1f}" if works else "",
            f"{each.out_per_s:,.1f}" if works else "",
            f"{each.lag:,}" if each.kind == "worker" else "",
            str(each.partitions) if each.partitions else "",
            "" if each.busy is None or not works else f"{each.busy:.0%}",
            "" if each.batch_records is None else f"{each.batch_records:,.0f}",
            "" if each.batch_fill is None else f"{each.batch_fill:.0%}",
            escape(_runs(each)),
        )
    if not view.processes:
        table.add_row("[red]none[/]", *[""] * 9)
    return _titled("Processes", table)


def _state(each: ProcessView) -> str:
    if each.error is not None:
        return "[red]no metrics[/]"
    if each.standing_still_s >= 30:
        return f"[red]stuck {each.standing_still_s:.0f} s[/]"
    if each.waiting_for or not each.ready:
        return f"[yellow]waits: {escape(', '.join(each.waiting_for)) or 'not ready'}[/]"
    if each.fallback:
        return "[yellow]fell back[/]"
    return "[green]ok[/]"


def _runs(each: ProcessView) -> str:
    return f"{each.model} on {each.device} ({each.runtime}, {each.precision})" if each.model else ""


def _stages(view: FleetView) -> RenderableType:
    table = _table()
    table.add_column("stage")
    for name in ("p50 ms", "p95 ms", "/s"):
        table.add_column(name, justify="right")
    for stage in view.stages:
        table.add_row(stage.stage, f"{stage.p50_ms:,.0f}", f"{stage.p95_ms:,.0f}", f"{stage.per_s:,.1f}")
    if not view.stages:
        table.add_row("[dim]no batch[/]", "", "", "")
    return _titled("Stages", table)


def _dead_letters(view: FleetView) -> RenderableType:
    total = sum(view.dead_letters.values())
    table = _table()
    table.add_column("reason")
    table.add_column("", justify="right")
    for reason, count in list(view.dead_letters.items())[:_MAX_ROWS]:
        table.add_row(escape(reason), f"{count:,}")
    return _titled(f"Dead letters, 24 h: {total:,}", table)


def _alerts(view: FleetView) -> RenderableType:
    states = ", ".join(f"{state} {count:,}" for state, count in view.alerts.items()) or "none"
    table = _table()
    table.add_column("open")
    for alert in view.open_alerts[:_MAX_ROWS]:
        style = _SEVERITIES.get(alert.severity, "default")
        taken = " [dim](acknowledged)[/]" if alert.acknowledged else ""
        table.add_row(f"[{style}]{escape(alert.severity)}[/] {escape(alert.title)}{taken}")
    return _titled(f"Alerts: {states}", table)


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="dim")


def _titled(title: str, table: Table) -> RenderableType:
    return Group(Text(title, style="bold", no_wrap=True), table)


def _latency(seconds: float) -> str:
    """The longest times are counted together, so that no more is known of them."""
    return f"> {LONGEST_LATENCY_S:g} s" if seconds >= LONGEST_LATENCY_S else _span(seconds)


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.1f} h"
