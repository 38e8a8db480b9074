"""Replicas of the indices: replicas missing from an existing index, and numbers that don't fit the cluster. Pure."""

from collections.abc import Mapping
from typing import Any


def missing_replicas(index: Mapping[str, Any], template: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return (replicas of the index, replicas in its template) if the index has fewer than its template, else None.

    Both are as Elasticsearch returns them. None also for an index with auto_expand_replicas.
    """
    settings = index.get("settings", {}).get("index", {})
    if str(settings.get("auto_expand_replicas", "false")) != "false" or "number_of_replicas" not in settings:
        return None
    now = int(settings["number_of_replicas"])
    wanted = int(template["template"]["settings"]["index"]["number_of_replicas"])
    return (now, wanted) if now < wanted else None


def replica_notes(replicas: int, nodes: int) -> tuple[str, ...]:
    """Warnings, as sentences, about the setting `elasticsearch.replicas` on a cluster with `nodes` data nodes."""
    if nodes > 1 and replicas == 0:
        return (
            f"elasticsearch.replicas is 0 on a cluster of {nodes} data nodes: while a node is unavailable its "
            "documents can't be searched and workers wait, and with its disk they are gone; set it to 1",
        )
    if replicas >= nodes:
        return (
            f"elasticsearch.replicas is {replicas}, but the cluster has {nodes} data node{'' if nodes == 1 else 's'}: "
            "not every replica has a place",
        )
    return ()
