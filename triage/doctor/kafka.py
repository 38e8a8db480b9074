"""Checks Kafka: connection, login, and that the topics match their definition."""

from collections.abc import Iterator

from triage.config import Settings
from triage.doctor.finding import Finding, failed, ok, warning
from triage.topics import plan_topics


def examine_kafka(settings: Settings) -> Iterator[Finding]:
    """Check that Kafka answers and that its topics match their definition, and yield the findings.

    Raises Unavailable, AccessDenied or ConfigError if it cannot be checked.
    """
    kafka = settings.kafka
    plan = plan_topics(kafka)
    yield ok("Kafka", f"{kafka.bootstrap_servers} answers, and takes the login")
    missing = [change.definition.full_name for change in plan.topics if change.create]
    other = [change.definition.full_name for change in plan.topics if not change.create and not change.empty]
    if missing:
        yield failed("topics", f"missing: {', '.join(missing)}", "triage topics apply")
    if other:
        yield warning("topics", f"not as they are defined: {', '.join(other)}", "triage topics plan, then apply")
    if not missing and not other:
        yield ok("topics", f"{len(plan.topics)} as they are defined")
    for text in plan.warnings:
        yield warning("topics", text)
