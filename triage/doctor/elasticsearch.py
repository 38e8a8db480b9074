"""Checks Elasticsearch: connection, health, and that templates and mappings are those of this version."""

from collections.abc import Iterator

from elasticsearch import Elasticsearch

from triage.clock import Clock
from triage.config import Settings
from triage.doctor.finding import Finding, failed, ok, warning
from triage.elastic.client import connect, shown_url, wait_until_ready
from triage.elastic.errors import translated
from triage.elastic.plan import plan_index
from triage.redaction.author_keys import DEMO_CHECK, key_checks

_SUBJECT = "Elasticsearch"


def examine_elasticsearch(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Check connection, health, templates and mappings of Elasticsearch, and yield a finding for each.

    Raises Unavailable, AccessDenied, ConfigError or DependencyError if a check cannot be completed.
    """
    client = connect(settings.elasticsearch)
    try:
        wait_until_ready(client, settings.elasticsearch, clock)
        yield from _health(client, settings)
        yield from _index(client, settings, clock)
    finally:
        client.close()


def _health(client: Elasticsearch, settings: Settings) -> Iterator[Finding]:
    with translated():
        health = client.cluster.health().body
    nodes = health.get("number_of_data_nodes", 0)
    text = f"{shown_url(settings.elasticsearch)} answers: {nodes} data node{'s' * (nodes != 1)}"
    match health.get("status"):
        case "red":
            yield failed(
                _SUBJECT, f"{text}; red: some shards are not available, so searches and figures are incomplete",
                "bring back the nodes that hold them; GET _cluster/allocation/explain says why",
            )  # fmt: skip
        case "yellow":
            yield warning(_SUBJECT, f"{text}; yellow: some replicas have no node", "add a node, or set fewer replicas")
        case _:
            yield ok(_SUBJECT, text)


def _index(client: Elasticsearch, settings: Settings, clock: Clock) -> Iterator[Finding]:
    plan = plan_index(client, settings.elasticsearch, clock, key_checks(settings.redaction), DEMO_CHECK)
    if plan.changes:
        targets = ", ".join(change.target for change in plan.changes)
        yield failed("index", f"not as this version needs it: {targets}", "triage index plan, then apply")
    else:
        yield ok("index", "templates, mappings and retention are those of this version")
    for clash in plan.clashes:
        what, _, fix = clash.rpartition(": ")
        yield failed("index", f"{what}; nothing can be written", fix)
    for index in plan.unusable:
        yield warning("index", index, "records of its time wait, and pages and exports are incomplete")
    for difference in plan.incompatible:
        yield warning("index", difference, "it needs a reindex")
