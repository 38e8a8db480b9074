"""`triage demo`: runs the whole system on the local stack with the sample feed."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, SetOption, settings_from

if TYPE_CHECKING:
    from rich.live import Live

    from triage.config import Settings
    from triage.local.demo import Demo


def command(
    once: Annotated[bool, typer.Option("--once", help="Print a summary when the feed is done, and exit")] = False,
    days: Annotated[float, typer.Option(min=1, max=31, help="Simulated days covered by the feed")] = 3,
    seconds: Annotated[
        float | None, typer.Option(min=10, help="Seconds that these days take [default: 180]", show_default=False)
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="Simulated time runs this many times as fast, instead of --seconds [default: 1440]",
            show_default=False,
        ),
    ] = None,
    knowledge: Annotated[
        bool, typer.Option(help="Index articles and resolved cases too; the encoder is downloaded once, 91 MB")
    ] = True,
    data_dir: Annotated[Path, typer.Option(help="Folder for the demo's data and logs")] = Path(".triage/demo"),
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Run the whole system on this machine, and replay three days of feedback in three minutes.

    Starts Kafka, Elasticsearch, worker, alerter and console with empty data; Ctrl-C stops everything. If you kill one
    of the last three, it is restarted, and nothing is lost. With --once it exits when the alerts have resolved, and
    fails if a record is missing or duplicate in the topics or in Elasticsearch, or if no alert has fired.
    """
    import signal

    from rich.console import Console
    from rich.live import Live

    from triage.errors import ConfigError
    from triage.local.demo import Demo, DemoOptions

    if seconds is not None and speed is not None:
        raise ConfigError("--seconds and --speed say the same in two ways: give one of them")
    replay_s = days * 86_400 / speed if speed is not None else seconds or 180.0
    if replay_s < 10:
        raise ConfigError(
            f"--speed {speed:g} replays {days:g} days in {replay_s:.1f} s, which is too short for windows and alerts: "
            f"at most {days * 8_640:g}"
        )
    settings = settings_from(config, assignments)
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, _interrupt)
    options = DemoOptions(days=days, replay_s=replay_s, data_dir=data_dir, knowledge=knowledge)
    try:
        with Demo(settings, options, lambda text: console.print(f"· {text}", highlight=False)) as demo:
            console.print(f"· console: [bold]{demo.console_url}[/bold]   (Ctrl-C stops everything)", highlight=False)
            console.print(f"· in another terminal: triage top --config {demo.settings_file}", highlight=False)
            console.print(
                f"· to see that nothing is lost, kill the worker: kill -9 {demo.pid('worker')}", highlight=False
            )
            _converse(demo.settings, lambda text: console.print(f"· {text}", highlight=False))
            with Live(console=console, refresh_per_second=4, transient=True) as live:
                _follow(demo, live, once=once)
            if not once:
                return
            summary = demo.summary()
    except KeyboardInterrupt:
        console.print("· worker, alerter, console and local stack have stopped", highlight=False)
        if once:
            raise typer.Exit(130) from None
        return
    Console().print(summary.table())
    for problem in summary.problems:
        console.print(f"[red]counts disagree:[/red] {problem}", highlight=False)
    if summary.problems:
        raise typer.Exit(1)


def _converse(settings: "Settings", say: Callable[[str], None]) -> None:
    """Play three conversations; the demo continues without them if they can't be stored."""
    from triage.cli.demo_conversations import converse
    from triage.errors import DependencyError

    try:
        converse(settings, say)
    except DependencyError as error:
        say(f"no conversations: {error}")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _follow(demo: "Demo", live: "Live", *, once: bool) -> None:
    """Show progress and alerts until the run is complete; without `once`, continue until Ctrl-C."""
    import time

    from rich.text import Text

    from triage.clock import from_ms

    clock = demo.settings.clock.build()
    shown = 0
    for _ in demo.watch():
        shown = _print_alerts(demo, live, shown)
        totals = demo.tally.totals
        live.update(
            Text(
                f"{from_ms(clock.now_ms()):%a %d %b %H:%M} simulated | in {demo.replay.sent:,} | "
                f"enriched {totals.enriched:,} | dead-lettered {totals.dead_lettered} | "
                f"alerts {len(totals.alerts)} ({totals.open_alerts} open)"
            )
        )
    _print_alerts(demo, live, shown)
    if once:
        return
    live.console.print("· the feed is done; the console stays up until Ctrl-C", highlight=False)
    while True:
        demo.check()
        time.sleep(0.5)


def _print_alerts(demo: "Demo", live: "Live", shown: int) -> int:
    """Print changes of status in the alert log from index `shown` on; returns the length of the log."""
    log = demo.tally.totals.alert_log
    printed = {(alert.dedup_key, alert.status) for alert in log[:shown]}
    for alert in log[shown:]:
        if (alert.dedup_key, alert.status) not in printed:
            printed.add((alert.dedup_key, alert.status))
            color = "red" if alert.status == "firing" else "green"
            live.console.print(f"[{color}]■ {alert.status}[/{color}] {alert.title}", highlight=False)
    return len(log)
