"""Reads from Elasticsearch: the only module that sends searches, counts, refreshes and reads of documents.

Every function raises Unavailable for a response that covers only a part of the data, unless it is called within
`triage.elastic.completeness.noting`, which collects what is missing. A closed index counts as missing only if it can
hold records of the time that the query asks for. An index or alias that does not exist yet is empty. All raise
Unavailable, AccessDenied, DependencyError.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from elastic_transport import ApiError, TransportError
from elasticsearch import Elasticsearch

from triage.clock import parse_rfc3339
from triage.elastic.completeness import closed, noted, require_complete, visibility
from triage.elastic.errors import DEPENDENCY, cause, is_overload, is_state, translate, translated
from triage.elastic.mapping import JsonObject
from triage.errors import AccessDenied, DependencyError, Unavailable

_NOTHING: JsonObject = {"hits": {"hits": [], "total": {"value": 0, "relation": "eq"}}, "count": 0}


def run_search(client: Elasticsearch, index: str, **body: Any) -> JsonObject:
    """Run a search in an index or alias and return the response body.

    `body` are the arguments of the client's `search`.
    """
    body.setdefault("track_total_hits", False)

    def send(*, ignore_unavailable: bool) -> Any:
        return client.search(
            index=index,
            ignore_unavailable=ignore_unavailable,
            allow_partial_search_results=noted() is not None,
            **body,
        )

    return _whole(client, index, send, f"searching {index}", body.get("query"))


def run_searches(
    client: Elasticsearch, index: str, bodies: Sequence[JsonObject]
) -> list[JsonObject | DependencyError | Unavailable | AccessDenied]:
    """Run the searches `bodies` in one request; returns, for each, its response or the error of that search alone.

    Raises Unavailable, AccessDenied, DependencyError if the request as a whole fails. An index that does not exist is
    empty.
    """
    searches: list[JsonObject] = []
    for body in bodies:
        searches += [{"index": index, "allow_partial_search_results": False}, {"track_total_hits": False, **body}]
    with translated():
        responses = client.msearch(searches=searches).body["responses"]
    found: list[JsonObject | DependencyError | Unavailable | AccessDenied] = []
    for response in responses:
        if (error := response.get("error")) is None:
            require_complete(response, f"searching {index}")
            found.append(dict(response))
            continue
        status, (kind, reason) = int(response.get("status", 500)), cause(error)
        if kind == "index_not_found_exception":
            found.append(_NOTHING)
        elif is_overload(status, kind) or is_state(status, kind, reason):
            found.append(Unavailable(DEPENDENCY, f"searching {index}: {status} {kind}: {reason}"))
        elif status in {401, 403}:
            found.append(AccessDenied(DEPENDENCY, f"searching {index}: {status} {kind}: {reason}"))
        else:
            found.append(DependencyError(DEPENDENCY, f"searching {index}: {status} {kind}: {reason}"))
    return found


def count(client: Elasticsearch, index: str, query: JsonObject) -> int:
    """Number of documents that match a query."""

    def send(*, ignore_unavailable: bool) -> Any:
        return client.count(index=index, query=query, ignore_unavailable=ignore_unavailable)

    return int(_whole(client, index, send, f"counting in {index}", query)["count"])


def refresh(client: Elasticsearch, index: str) -> None:
    """Make all written documents of an index or alias visible to searches."""
    with translated():
        # Nothing was written to an index that is closed.
        body = client.indices.refresh(index=index, ignore_unavailable=True).body
    require_complete(body, f"refreshing {index}")


def read_document(client: Elasticsearch, index: str, identity: str) -> JsonObject | None:
    """Read a document by its `_id`, as Elasticsearch returns it; None if there is none."""
    with translated():
        body = client.options(ignore_status=404).get(index=index, id=identity).body
    return dict(body) if body.get("found") else None


def read_documents(
    client: Elasticsearch, items: Sequence[tuple[str, str]], *, fields: Sequence[str] | None = None
) -> list[JsonObject]:
    """Read documents by (index, `_id`), as Elasticsearch returns them; missing ones are left out.

    With `fields` only these; with none of them the metadata, by which one sees which documents are there.
    Also finds documents that are not searchable yet. Raises Unavailable if it is unknown whether a document exists,
    because its index is closed or its shard unassigned.
    """
    if not items:
        return []
    with translated():
        wanted = [{"_index": index, "_id": identity} for index, identity in items]
        source = None if fields is None else list(fields) or False
        docs = client.mget(docs=wanted, source=source).body["docs"]
    for each in docs:
        kind, reason = cause(each.get("error"))
        if kind and kind != "index_not_found_exception":
            raise Unavailable(DEPENDENCY, f"reading {each['_index']}/{each['_id']}: {kind}: {reason}")
    return [dict(each) for each in docs if each.get("found")]


def _whole(
    client: Elasticsearch, index: str, send: Callable[..., Any], doing: str, query: Mapping[str, Any] | None
) -> JsonObject:
    try:
        body = dict(send(ignore_unavailable=False).body)
    except TransportError as error:
        raise translate(error) from error
    except ApiError as error:
        kind, _ = cause(error.body)
        if kind == "index_not_found_exception":
            return _NOTHING
        if kind != "index_closed_exception":
            raise translate(error) from error
        _pass_over_closed(client, index, str(error.body["error"].get("index", "")), doing, query)
        with translated():
            body = dict(send(ignore_unavailable=True).body)
    require_complete(body, doing)
    return body


def _pass_over_closed(
    client: Elasticsearch, index: str, named: str, doing: str, query: Mapping[str, Any] | None
) -> None:
    """Note the closed indices that can hold what the query asks for, or raise Unavailable.

    Elasticsearch has `named` one of them.
    """
    found = visibility(client, {index})
    hidden = found.within(index, *_event_times(query))
    if named and named not in found.unseen:
        # Without a privilege on the index itself it is not listed, and neither are others.
        hidden.unseen[named] = closed(named)
    if (gaps := noted()) is None:
        hidden.require_all(doing)
        return
    for name, reason in sorted(hidden.unseen.items()):
        gaps.add(f"index {name}: {reason}")


def _event_times(query: Mapping[str, Any] | None) -> tuple[int | None, int | None]:
    """The range of event times that a query is limited to, in ms since the epoch, end exclusive; None: no bound."""
    start, end = None, None
    for bounds in _ranges(query or {}):
        if "gte" in bounds:
            start = max(parse_rfc3339(bounds["gte"]), start or 0)
        if "lt" in bounds:
            until = parse_rfc3339(bounds["lt"])
            end = until if end is None else min(end, until)
    return start, end


def _ranges(query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "@timestamp" in (limits := query.get("range", {})):
        yield limits["@timestamp"]
    required = [query.get("bool", {}).get(name, []) for name in ("filter", "must")]
    for part in [*required, query.get("function_score", {}).get("query", [])]:
        for each in part if isinstance(part, list) else [part]:
            yield from _ranges(each)
