"""Finds states of Elasticsearch that prevent writing or searching triage's indices and need a manual repair."""

from collections.abc import Iterator, Mapping
from typing import Any

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.completeness import closed, resolved
from triage.elastic.errors import translated
from triage.elastic.mapping import JsonObject
from triage.elastic.naming import belongs_to
from triage.elastic.template import single_indices

_BLOCKS = ("read_only", "read_only_allow_delete", "read", "write")


def index_state(
    client: Elasticsearch, settings: ElasticsearchSettings, indices: Mapping[str, JsonObject]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Find names that are used for something else than triage needs, and indices that are closed or blocked.

    Returns the two as sentences, each with its fix. While there are any of the first, nothing can be written.
    `indices` are the records' indices, as Elasticsearch returns them. Raises Unavailable, AccessDenied,
    DependencyError.
    """
    names = (settings.index_prefix, *(name for _, name, _ in single_indices(settings)))
    found = resolved(client, [f"{name}*" for name in names])
    kept = {*indices, *names[1:]}
    shut = (
        f"index {each['name']}: {closed(each['name'])}"
        for each in found.get("indices", ())
        if "closed" in each.get("attributes", ()) and each["name"] in kept
    )
    blocked = (
        f'index {name}: it has the block {block}; remove it: PUT /{name}/_settings {{"index.blocks.{block}": null}}'
        for name, index in indices.items()
        for block in _set_blocks(index)
    )
    return tuple(_clashes(client, found, names[0], names[1:])), (*shut, *blocked)


def _clashes(client: Elasticsearch, found: Mapping[str, Any], prefix: str, singles: tuple[str, ...]) -> Iterator[str]:
    """Yield what has the name of the records' alias, or of an index of records, alerts or corrections, wrongly."""
    if any(each["name"] == prefix for each in found.get("indices", ())):
        yield f"{prefix} is an index, but must be the alias of all records: reindex it to {prefix}-YYYY, and delete it"
    for each in found.get("aliases", ()):
        name, indices = each["name"], [each["indices"]] if isinstance(each["indices"], str) else each["indices"]
        if len(indices) < 2:
            continue
        if belongs_to(prefix, name):
            yield f"{name} is an alias of {', '.join(indices)}, but must be an index: remove the alias"
        elif name in singles and not _has_write_index(client, name):
            yield f"{name} is an alias of {', '.join(indices)} without a write index: give one of them is_write_index"
    for each in found.get("data_streams", ()):
        if (name := each["name"]) in {prefix, *singles} or belongs_to(prefix, name):
            yield f"{name} is a data stream: remove it, and data_stream from its template"


def _set_blocks(index: Mapping[str, Any]) -> Iterator[str]:
    blocks = index.get("settings", {}).get("index", {}).get("blocks", {})
    yield from (name for name in _BLOCKS if str(blocks.get(name, "")).lower() == "true")


def _has_write_index(client: Elasticsearch, alias: str) -> bool:
    with translated():
        found = client.indices.get_alias(name=alias).body
    return any(index["aliases"][alias].get("is_write_index") for index in found.values())
