"""Replicas of the indices: those that an existing index lacks, and numbers that don't fit the cluster. Pure."""

from collections.abc import Mapping
from typing import Any


def missing_replicas(index: Mapping[str, Any], template: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return (replicas of the index, those of its template) if the index has fewer; they are never made fewer.

    Both are as Elasticsearch returns them. An index with auto_expand_replicas has as many as its nodes allow.
    """
    settings = index.get("settings", {}).get("index", {})
    if str(settings.get("auto_expand_replicas", "false")) != "false" or "number_of_replicas" not in settings:
        return None
    now = int(settings["number_of_replicas"])
    wanted = int(template["template"]["settings"]["index"]["number_of_replicas"])
    return (now, wanted) if now < wanted else None


def replica_notes(replicas: int, nodes: int) -> tuple[str, ...]:
    """Return what the setting `elasticsearch.replicas` costs on a cluster of so many data nodes, as sentences."""
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
