"""`triage top`: shows the fleet live."""

from typing import TYPE_CHECKING, Annotated

import typer

from triage.cli.common import ConfigOption, KafkaOption, SetOption, settings_from

if TYPE_CHECKING:
    from triage.fleet import FleetMonitor


def command(
    once: Annotated[
        bool, typer.Option("--once", help="Print one snapshot and exit; the default without a terminal")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per snapshot, for scripts")] = False,
    interval: Annotated[float, typer.Option(min=0.2, max=3600, help="Seconds between two snapshots")] = 2.0,
    sort: Annotated[str, typer.Option(help="Order of the partitions: lag, in, out or name")] = "lag",
    process: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT", help="Further process to watch; may be repeated [fleet.processes]", show_default=False
        ),
    ] = None,
    bootstrap_servers: KafkaOption = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
) -> None:
    """Watch the fleet: rates, lag by partition, time by stage, batch fill, dead letters, alerts, processes.

    Keys: q quits, p pauses, s changes the order of partitions, r refreshes now. Processes are found through their
    consumer groups, at worker.health_port and alerting.health_port. Rates are over the last 15 seconds.
    """
    import logging
    import sys

    from triage.cli.top_screen import SORTS
    from triage.errors import ConfigError
    from triage.fleet import FleetMonitor

    if sort not in SORTS:
        raise ConfigError(f"--sort takes {', '.join(SORTS)}, not {sort!r}")
    settings = settings_from(
        config, assignments, kafka__bootstrap_servers=bootstrap_servers, fleet__processes=process or None
    )
    # Unreachable processes are shown on the screen; log lines would break it.
    for name in ("triage", "kafka"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with FleetMonitor(settings) as monitor:
        if as_json:
            _print_json(monitor, interval, once=once)
        elif once or not sys.stdout.isatty():
            _print_once(monitor, interval, sort)
        else:
            _watch(monitor, interval, sort)


def _print_json(monitor: "FleetMonitor", interval: float, *, once: bool) -> None:
    import time

    import msgspec

    monitor.look()
    while True:
        time.sleep(interval)
        typer.echo(msgspec.json.encode(monitor.look()).decode())
        if once:
            return


def _print_once(monitor: "FleetMonitor", interval: float, sort: str) -> None:
    """Print one screen, from two readings `interval` seconds apart: rates are the difference between them."""
    import time

    from rich.console import Console

    from triage.cli.top_screen import Screen

    monitor.look()
    time.sleep(interval)
    console = Console()
    if not console.is_terminal:
        console.width = 140
    console.print(Screen(sort).of(monitor.look(), rows=None))


def _watch(monitor: "FleetMonitor", interval: float, sort: str) -> None:
    import time
    from concurrent.futures import ThreadPoolExecutor

    from rich.console import Console
    from rich.live import Live

    from triage.cli.keys import Keys
    from triage.cli.top_screen import Screen
    from triage.errors import TriageError

    # If nothing can be reached, the error is printed instead of a screen.
    view = monitor.look()
    console, screen = Console(), Screen(sort)
    due = time.monotonic() + min(1.0, interval)
    with (
        ThreadPoolExecutor(1, "top") as threads,
        Keys() as keys,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        looking = None
        try:
            while True:
                live.update(screen.of(view, rows=console.size.height), refresh=True)
                key = keys.wait(0.1 if looking else max(0.05, min(0.5, due - time.monotonic())))
                if key in {"q", "Q"}:
                    return
                if key in {"r", "R"}:
                    due = 0.0
                screen.press(key)
                if looking is None and not screen.paused and time.monotonic() >= due:
                    looking = threads.submit(monitor.look)
                if looking is not None and looking.done():
                    due = time.monotonic() + interval
                    try:
                        view, screen.error = looking.result(), None
                    except TriageError as error:
                        screen.error = str(error)
                    looking = None
        except KeyboardInterrupt:
            return
