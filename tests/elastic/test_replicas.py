"""Existing indices get the replicas of the settings, and numbers that don't fit the cluster are named."""

import pytest

from triage.elastic.plan import apply, plan_index
from triage.elastic.replicas import missing_replicas, replica_notes
from triage.elastic.template import single_indices


def index(**settings):
    return {"settings": {"index": settings}}


def template(replicas):
    return {"template": {"settings": {"index": {"number_of_replicas": str(replicas)}}}}


@pytest.mark.parametrize(
    ("settings", "wanted", "found"),
    [
        ({"number_of_replicas": "0"}, 1, (0, 1)),
        ({"number_of_replicas": "1"}, 1, None),
        # Somebody raised it by hand.
        ({"number_of_replicas": "2"}, 1, None),
        ({"number_of_replicas": "0", "auto_expand_replicas": "0-1"}, 1, None),
        ({"number_of_replicas": "0", "auto_expand_replicas": "false"}, 1, (0, 1)),
        ({}, 1, None),
    ],
)
def test_replicas_are_added_and_never_removed(settings, wanted, found):
    assert missing_replicas(index(**settings), template(wanted)) == found


@pytest.mark.parametrize(
    ("replicas", "nodes", "says"),
    [
        (0, 3, "elasticsearch.replicas is 0 on a cluster of 3 data nodes"),
        (1, 1, "elasticsearch.replicas is 1, but the cluster has 1 data node: not every replica has a place"),
        (3, 3, "elasticsearch.replicas is 3, but the cluster has 3 data nodes"),
        (1, 3, ""),
        (0, 1, ""),
    ],
)
def test_a_number_that_does_not_fit_the_cluster_is_named(replicas, nodes, says):
    assert " ".join(replica_notes(replicas, nodes)).startswith(says)


@pytest.mark.stack
def test_indices_that_were_made_without_replicas_get_them(client, settings, clock):
    apply(client, plan_index(client, settings, clock))
    name = f"{settings.index_prefix}-2026.11.22"
    client.indices.create(index=name)
    more = settings.model_copy(update={"replicas": 1})
    plan = plan_index(client, more, clock)
    details = {change.target: change.details for change in plan.changes if "index template" not in change.target}
    assert details == dict.fromkeys(
        (f"index {name}", *(f"index {single}" for _, single, _ in single_indices(settings))),
        ("number_of_replicas: 0 -> 1",),
    )
    apply(client, plan)
    assert not plan_index(client, more, clock)
    stored = client.indices.get_settings(index=name).body[name]["settings"]["index"]
    assert stored["number_of_replicas"] == "1"
    # Back to fewer is left to people.
    assert not [change for change in plan_index(client, settings, clock).changes if "template" not in change.target]
