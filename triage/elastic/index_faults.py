"""Determines whether the document or the index caused a refused write, and how to repair the index.

Only what `suspicion` finds can be the document's own fault; everything else is a fault of the index or cluster, and the
document waits until that is repaired. The list, for Elasticsearch 9:

- `document_parsing_exception`, "failed to parse field [F] of type [T]": the value does not fit the field, such as an
  infinite number or a key of attributes that is too long. It is the document's fault only if the index maps the field
  as triage does: an index of other origin refuses good values too.
- `document_parsing_exception` or `x_content_parse_exception` whose cause is invalid JSON, or JSON that is not an
  object: no index could take it. "Limit of total fields" has the same first words, but another cause.
- Status 413 for one document of more than 1 MiB: the usual limits are higher. A limit that refuses less refuses
  good documents.

Not in the list, although Elasticsearch answers 400: `strict_dynamic_mapping_exception` (the index lacks a field that
triage's mapping has: no document has others), "object mapping for [F] tried to parse field [F] as object" (another
mapping), `illegal_argument_exception` (an alias without write index, a missing pipeline),
`invalid_alias_name_exception`, `routing_missing_exception`, `action_request_validation_exception`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from elastic_transport import ApiError, TransportError
from elasticsearch import Elasticsearch

from triage.elastic.errors import DEPENDENCY, cause, causes, is_overload, is_state, translate, translated
from triage.elastic.mapping import JsonObject
from triage.errors import AccessDenied, ConfigError, DocumentRefused, IndexUnusable, Unavailable

SMALL_BYTES = 1024 * 1024
"""A document of at most this size, in bytes, is never too large: nginx and Elasticsearch take as much by default."""
_FIELD = re.compile(r"failed to parse field \[([^\]]+)\] of type \[")
_MALFORMED = {
    "x_content_parse_exception",
    "x_content_e_o_f_exception",
    "json_parse_exception",
    "json_e_o_f_exception",
    "stream_constraints_exception",
}
_NO_OBJECT = "Malformed content, must start with an object"
_NOT_OF_PARSING = ("analyzer", "search_analyzer")


@dataclass(frozen=True)
class Suspicion:
    """The part of a refused document that may be invalid: `field` is a dotted path, None means the whole document."""

    field: str | None = None


def suspicion(status: int, error: Any, size_bytes: int) -> Suspicion | None:
    """The part that may be invalid in a refused document of `size_bytes`; None if the document cannot be the cause.

    `error` is the `error` of an item in a bulk response, or the body of an error response.
    """
    if status == 413:
        return Suspicion() if size_bytes > SMALL_BYTES else None
    kind, reason = cause(error)
    if status != 400 or kind not in {"document_parsing_exception", "x_content_parse_exception"}:
        return None
    if found := _FIELD.search(reason):
        return Suspicion(found[1])
    malformed = any(each.get("type") in _MALFORMED for each in causes(error))
    return Suspicion() if malformed or reason.startswith(_NO_OBJECT) else None


def field_difference(field: str, actual: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """Describe how the definition of a field in `actual` differs from that in triage's mapping, `expected`.

    Empty if they are equal. Both are mappings with `properties`; `field` is a dotted path. Analyzers are ignored,
    because they refuse no value.
    """
    ours, theirs = _definition(expected, field), _definition(actual, field)
    if ours == theirs:
        return ""
    if ours is None:
        return f"{field} is not a field of triage's mapping"
    return f"{field} is {_shown(theirs)}, not {_shown(ours)}"


def unusable(status: int, error: Any, index: str, difference: str = "") -> IndexUnusable:
    """The error for a refused write to `index` where the document is valid; its message says how to repair the index.

    `error` is as in `suspicion`; `difference` describes how the mapping differs, empty if it does not.
    """
    kind, reason = cause(error)
    said = f"{status} {kind}: {reason}" if reason else f"{status} {kind}".rstrip()
    mapped = f"; {difference}" if difference else ""
    fix = remedy(error, index) if status != 413 else "raise http.max_content_length, or the limit of a proxy"
    return IndexUnusable(DEPENDENCY, f"index {index} does not take good documents: {said}{mapped}; {fix}", index)


def remedy(error: Any, index: str) -> str:
    """One clause that says how to repair `index` after a write to it was refused with `error`."""
    kind, reason = cause(error)
    return next((fix(index) for known, words, fix in _REMEDIES if kind == known and words in reason), _look(index))


def _look(index: str) -> str:
    return f"compare it with `triage index plan`, and mend it: GET /{index}"


def count_deleted(body: Any) -> int:
    """Number of documents that a bulk response reports as deleted; missing and newer documents do not count.

    Raises IndexUnusable if a deletion was refused, or Unavailable if that was because of overload.
    """
    deleted = 0
    for outcome in (item["delete"] for item in body["items"]):
        status = outcome["status"]
        if status == 200:
            deleted += 1
        elif status not in {404, 409}:
            error, index = outcome.get("error"), str(outcome.get("_index", ""))
            kind, reason = cause(error)
            problem = f"{status} {kind}: {reason} while deleting {outcome['_id']}"
            if is_overload(status, kind):
                raise Unavailable(DEPENDENCY, problem)
            raise IndexUnusable(DEPENDENCY, f"{problem} in {index}; {remedy(error, index)}", index)
    return deleted


@contextmanager
def written(client: Elasticsearch, index: str, mapping: JsonObject) -> Iterator[None]:
    """Context manager for the write of one document to `index`: translates the client's exceptions to triage's errors.

    Raises DocumentRefused if the document is invalid, IndexUnusable if the index cannot be written, otherwise the
    errors of `translate`. `mapping` is triage's mapping of the index; the actual one is read only to tell the two cases
    apart.
    """
    try:
        yield
    except TransportError as error:
        raise translate(error) from error
    except ApiError as error:
        status, (kind, reason) = error.meta.status, cause(error.body)
        other = translate(error)
        ours = isinstance(other, (AccessDenied, ConfigError))
        if ours or (isinstance(other, Unavailable) and not is_state(status, kind, reason)):
            raise other from error
        found = suspicion(status, error.body, SMALL_BYTES + 1)
        if found is None:
            raise unusable(status, error.body, index) from error
        if found.field and (difference := field_difference(found.field, mapping_of(client, index), mapping)):
            raise unusable(status, error.body, index, difference) from error
        raise DocumentRefused(DEPENDENCY, f"{status} {kind}: {reason}") from error


def mapping_of(client: Elasticsearch, index: str) -> JsonObject:
    """The mapping of an index; {} if the name is an alias of several indices.

    Raises IndexUnusable without the privilege to read it, and Unavailable.
    """
    try:
        with translated():
            found = client.indices.get_mapping(index=index).body
    except AccessDenied as error:
        raise IndexUnusable(
            DEPENDENCY,
            f"index {index} refuses a document; whose fault that is can't be told without the privilege "
            f"view_index_metadata on {index}: {error}",
            index,
        ) from error
    return dict(next(iter(found.values()))["mappings"]) if len(found) == 1 else {}


_Fix = Callable[[str], str]
_REMEDIES: tuple[tuple[str, str, _Fix], ...] = (
    ("strict_dynamic_mapping_exception", "", lambda _: "add the missing field: `triage index apply`"),
    (
        "document_parsing_exception",
        "Limit of total fields",
        lambda index: f"run `triage index apply`, or raise index.mapping.total_fields.limit of {index}",
    ),
    (
        "document_parsing_exception",
        "",
        lambda index: f"reindex {index} into one that `triage index apply` maps (docs/elasticsearch.md)",
    ),
    ("index_closed_exception", "", lambda index: f"open it: POST /{index}/_open"),
    (
        "cluster_block_exception",
        "disk usage exceeded",
        lambda _: "free disk space on the data nodes: the block then goes by itself",
    ),
    ("cluster_block_exception", "cluster read-only", lambda _: "remove cluster.blocks.read_only"),
    (
        "cluster_block_exception",
        "[FORBIDDEN/",
        lambda index: (
            f'remove the block: PUT /{index}/_settings {{"index.blocks.write": null, "index.blocks.read_only": null}}'
        ),
    ),
    (
        "invalid_alias_name_exception",
        "",
        lambda _: "an index has the name that the alias needs: reindex it to another name and delete it",
    ),
    (
        "illegal_argument_exception",
        "no write index is defined",
        lambda index: f"{index} is an alias: remove it, or give it one index with is_write_index",
    ),
    (
        "illegal_argument_exception",
        "data stream",
        lambda index: f"{index} is a data stream, not an index: remove its template's data_stream and the data stream",
    ),
    (
        "illegal_argument_exception",
        "pipeline with id",
        lambda index: f"create the pipeline, or remove index.default_pipeline and index.final_pipeline of {index}",
    ),
    ("index_not_found_exception", "", lambda index: f"create it (PUT /{index}), or allow action.auto_create_index"),
    ("validation_exception", "maximum", lambda _: "delete indices, or raise cluster.max_shards_per_node"),
)


def _definition(mapping: Mapping[str, Any], field: str) -> JsonObject | None:
    found: Any = mapping
    for name in field.split("."):
        found = (found.get("properties") or {}).get(name)
        if not isinstance(found, Mapping):
            return None
    return {name: value for name, value in found.items() if name not in _NOT_OF_PARSING}


def _shown(definition: Mapping[str, Any] | None) -> str:
    if definition is None:
        return "not mapped"
    if "properties" in definition:
        return "an object"
    return ", ".join(f"{name} {value}" for name, value in definition.items())
