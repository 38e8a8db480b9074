"""`triage alerts backtest`: evaluates a rule on past counts."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, ElasticsearchOption, SetOption, settings_from
from triage.cli.complete import alert_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triage.alerting.backtest.run import Results
    from triage.alerting.backtest.table import Table


def command(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="CSV window_start,key,negative,total; - is standard input", show_default=False
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write the evaluated rows here [default: standard output]")
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(help="Length of a window, e.g. 5m or 1h [default: the most common one]", show_default=False),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            autocompletion=alert_rules,
            help="Alert rule to evaluate [default: the spike detector]",
            show_default=False,
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Accepted false alerts, e.g. '1 a week' of all keys, or '0.005 a week per key' [default: the rule's]",
            show_default=False,
        ),
    ] = None,
    z_count: Annotated[
        float | None, typer.Option(help="Fixed score at which a count fires, instead of a budget", show_default=False)
    ] = None,
    z_ratio: Annotated[
        float | None, typer.Option(help="Score that the share must reach too; 0: off", show_default=False)
    ] = None,
    min_count: Annotated[int | None, typer.Option(help="Lower counts never fire", show_default=False)] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone of the seasonal pattern", show_default=False)] = None,
    seasons: Annotated[
        bool | None,
        typer.Option("--seasons/--no-seasons", help="Whether to model hours of day and week", show_default=False),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Write a chart of the keys with most episodes (extra 'plots')", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--from", help="Instead of a file: count the index's records from this time on (a time, or 28d ago)"
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="... until this time [default: now]", show_default=False)
    ] = None,
    elasticsearch: ElasticsearchOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Evaluate a rule on past window counts of a file or of the index, in one pass, as the alerter would have.

    Prints each row with expected, score, firing and episode, and a summary of the episodes on standard error.
    """
    from triage.alerting.backtest.output import output_lines, summary
    from triage.alerting.backtest.run import backtest
    from triage.alerting.backtest.source import (
        backtest_rule,
        check_output,
        find_rule,
        moment_of,
        seconds_of,
        table_of_file,
        table_of_history,
    )
    from triage.errors import ConfigError

    if (file is None) == (since is None) or (until is not None and since is None):
        raise ConfigError("give either a FILE (- is standard input) or --from; --to only with --from")
    settings = settings_from(config, assignments, elasticsearch__url=elasticsearch)
    check_output(output, "--output")
    check_output(plot, "--plot")
    flags = {
        "false_alerts": budget,
        "z_count": z_count,
        "z_ratio": z_ratio,
        "min_count": min_count,
        "zone": zone,
        "seasons": seasons,
    }
    found, spike = find_rule(settings, rule)
    evaluated = backtest_rule(found, spike, flags)
    step_s = None if step is None else seconds_of(step, "--step")
    if file is not None:
        table = table_of_file(file, step_s)
    else:
        now_ms = settings.clock.build().now_ms()
        start_ms, end_ms = moment_of(since or "", now_ms, "--from"), now_ms
        end_ms = now_ms if until is None else moment_of(until, now_ms, "--to")
        if start_ms >= end_ms:
            raise ConfigError("--from must be before --to")
        table = table_of_history(settings, found, start_ms, end_ms, step_s or settings.alerting.window_s)
    with _progress() as on_step:
        results = backtest(table, evaluated, on_step)
    _write(output, output_lines(table, results))
    typer.echo(summary(table, results, evaluated), err=True)
    if plot is not None:
        _draw(table, results, plot)


def _draw(table: "Table", results: "Results", path: Path) -> None:
    from triage.alerting.backtest.plot import draw

    shown = draw(table, results, path)
    typer.echo(f"{path}: observed, expected and episodes of {shown} keys", err=True)


def _write(output: Path | None, lines: "Iterator[str]") -> None:
    from triage.errors import ConfigError

    if output is None:
        for text in lines:
            sys.stdout.write(text)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror or error}", where=str(output)) from error


@contextlib.contextmanager
def _progress() -> "Iterator[Callable[[int, int], None] | None]":
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("evaluating")
        yield lambda done, of: progress.update(task, completed=done, total=of)
