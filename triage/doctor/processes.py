"""Checks the running processes: workers, alerters and the console."""

from collections.abc import Iterator

import httpx

from triage.config import Settings
from triage.doctor.finding import Finding, failed, ok, warning
from triage.errors import in_words
from triage.fleet import FleetMonitor


def examine_processes(settings: Settings) -> Iterator[Finding]:
    """Check the running workers and alerters, and yield the findings.

    Raises Unavailable if neither Kafka nor any process answers.
    """
    with FleetMonitor(settings) as monitor:
        view = monitor.look()
    for need, problem in zip(view.needs, view.problems, strict=True):
        # The console is asked by itself.
        if need.kind != "no_console":
            yield (warning if need.severity == "medium" else failed)("processes", problem)
    for kind in ("worker", "alerter"):
        ready = [process for process in view.processes if process.kind == kind and process.ready]
        if ready:
            yield ok("processes", f"{len(ready)} {kind}{'s' * (len(ready) != 1)} ready")
    if view.partitions:
        yield ok("processes", f"{view.lag:,} records wait in the raw topics")


def examine_console(settings: Settings, timeout_s: float) -> Iterator[Finding]:
    """Check that the console answers at the address used in notifications, and yield the finding."""
    address = settings.alerting.console_url.rstrip("/")
    try:
        answer = httpx.get(f"{address}/live", timeout=timeout_s, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = in_words(str(error)) or type(error).__name__
        yield warning(
            "console", f"{address} does not answer: {why}",
            "start triage console; if it has another address, set alerting.console_url: notifications link to it",
        )  # fmt: skip
        return
    if answer.is_success:
        yield ok("console", f"{address} answers")
    else:
        yield warning("console", f"{address}/live answers {answer.status_code}", "check alerting.console_url")
