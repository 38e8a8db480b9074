"""Runs all checks of an installation, one after the other."""

from collections.abc import Callable, Iterator

from triage.clock import Clock, SystemClock
from triage.config import Settings
from triage.doctor import files
from triage.doctor.elasticsearch import examine_elasticsearch
from triage.doctor.finding import Finding, failed, ok, warning
from triage.doctor.kafka import examine_kafka
from triage.doctor.model import examine_model
from triage.doctor.processes import examine_console, examine_processes
from triage.doctor.receivers import examine_receivers
from triage.errors import TriageError

Check = Callable[[], Iterator[Finding]]


def examine(settings: Settings, timeout_s: float, clock: Clock | None = None) -> Iterator[Finding]:
    """Check all that the settings name (files, model, servers, processes, receivers); yield each finding at once.

    Each server has `timeout_s` seconds to answer. A check that fails does not prevent the others.
    """
    asked = _with_timeout(settings, timeout_s)
    clock = clock or SystemClock()
    checks: dict[str, Check] = {
        "settings": lambda: _files(settings),
        "model": lambda: examine_model(settings),
        "Kafka": lambda: examine_kafka(asked),
        "Elasticsearch": lambda: examine_elasticsearch(asked, clock),
        "processes": lambda: examine_processes(asked),
        "console": lambda: examine_console(asked, timeout_s),
        "receivers": lambda: examine_receivers(asked, timeout_s),
    }
    for subject, check in checks.items():
        try:
            yield from check()
        except TriageError as error:
            yield failed(subject, _without_subject(str(error), subject))
        except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others find
            yield failed(subject, f"the check itself failed: {type(error).__name__}: {error}", "please report this")


def _without_subject(text: str, subject: str) -> str:
    """Errors of dependencies begin with the name of the dependency, which the finding says already."""
    return text.removeprefix(f"{subject.lower()}: ").removeprefix("fleet: ")


def _files(settings: Settings) -> Iterator[Finding]:
    problems = files.problems(settings)
    for problem in problems:
        yield failed("settings", problem)
    for risk in files.risks(settings):
        yield warning("settings", risk.removeprefix("warning: ").removeprefix("note: "))
    if not problems:
        yield ok("settings", "settings, rules, topics and model files are valid")


def _with_timeout(settings: Settings, timeout_s: float) -> Settings:
    kafka = settings.kafka.model_copy(update={"start_timeout_s": min(settings.kafka.start_timeout_s, timeout_s)})
    elastic = settings.elasticsearch
    elastic = elastic.model_copy(update={"start_timeout_s": min(elastic.start_timeout_s, timeout_s)})
    return settings.model_copy(update={"kafka": kafka, "elasticsearch": elastic})
