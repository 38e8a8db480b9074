"""Detects Elasticsearch responses that cover only a part of the data.

Elasticsearch answers 200 although shards failed or the time ran out, and leaves out closed indices if a request ignores
unavailable ones. `triage.elastic.reading` checks every response with this module: by default a partial one is an error.
A caller that can show partial data, such as a page of the console, calls `noting` and shows what is missing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.errors import DEPENDENCY, cause, translated
from triage.elastic.naming import belongs_to, may_hold
from triage.errors import Unavailable


class Gaps:
    """The data that searches did not cover, as one sentence per search, in order; empty if nothing is missing."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def add(self, gap: str) -> None:
        self._found[gap] = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def __str__(self) -> str:
        return "; ".join(self._found)


_noted: ContextVar[Gaps | None] = ContextVar("gaps", default=None)


@contextmanager
def noting(gaps: Gaps | None = None) -> Iterator[Gaps]:
    """Context manager in which partial responses are not errors: what they lack is added to the yielded `Gaps`.

    It also applies to calls that `asyncio.to_thread` runs in another thread.
    """
    gaps = Gaps() if gaps is None else gaps
    token = _noted.set(gaps)
    try:
        yield gaps
    finally:
        _noted.reset(token)


def noted() -> Gaps | None:
    """The `Gaps` of the innermost active `noting`; None if there is none, so that partial responses are errors."""
    return _noted.get()


def shortfall(body: Mapping[str, Any]) -> str:
    """Describe the data that a response to a search, count or refresh does not cover; empty if it covers all shards.

    Shards that were skipped hold nothing that the query could find.
    """
    shards = body.get("_shards") or {}
    if failed := shards.get("failed"):
        failures = shards.get("failures") or [{}]
        kind, reason = cause(failures[0].get("reason"))
        why = f" ({f'{kind}: {reason}' if reason else kind})" if kind else ""
        indices = sorted({str(each["index"]) for each in failures if each.get("index")})
        of = f" of {', '.join(indices)}" if indices else ""
        return (
            f"{failed} of {shards.get('total', failed)} shards failed{why}{of}; GET _cluster/health?level=indices "
            "says more"
        )
    if body.get("timed_out"):
        return "the time was up before all shards had answered"
    clusters = body.get("_clusters") or {}
    if missing := sum(clusters.get(state, 0) for state in ("skipped", "partial", "failed")):
        return f"{missing} of {clusters.get('total', missing)} remote clusters did not answer in full"
    return ""


def require_complete(body: Mapping[str, Any], doing: str) -> None:
    """Check that the response to a search, count or refresh covers all shards.

    Raises Unavailable if shards failed, or if the search ended early because of its timeout; `doing` begins the
    message. Within `noting`, the message is recorded instead.
    """
    if not (lacks := shortfall(body)):
        return
    if (gaps := noted()) is None:
        raise Unavailable(DEPENDENCY, f"{doing}: {lacks}")
    gaps.add(f"{doing}: {lacks}")


@dataclass(frozen=True)
class Visibility:
    """Indices that searches read (`seen`), and those that searches leave out (`unseen`).

    `unseen` maps the name of an index to the reason and the fix.
    """

    seen: list[str]
    unseen: dict[str, str]

    def within(self, prefix: str, start_ms: int | None, end_ms: int | None) -> "Visibility":
        """A copy whose `unseen` has only indices that may hold records in this range of event times (ms).

        `end_ms` is exclusive; None sets no bound.
        """
        kept = {name: why for name, why in self.unseen.items() if may_hold(prefix, name, start_ms, end_ms)}
        return Visibility(self.seen, kept)

    def require_all(self, doing: str) -> None:
        """Raise Unavailable, naming the indices, if searches leave out any; `doing` begins the message."""
        if self.unseen:
            listed = "".join(f"\n  - {index}: {reason}" for index, reason in sorted(self.unseen.items()))
            raise Unavailable(DEPENDENCY, f"{doing} would pass over:{listed}")


def visible_indices(client: Elasticsearch, settings: ElasticsearchSettings) -> Visibility:
    """Find the indices of records, alerts and corrections that searches read, and those that searches leave out.

    Left out are closed indices, and indices without the alias of the records. Raises Unavailable, AccessDenied,
    DependencyError.
    """
    names = {settings.index_prefix, settings.alerts_index, settings.corrections(), settings.conversations()}
    return visibility(client, names)


def visibility(client: Elasticsearch, names: set[str]) -> Visibility:
    """Find the indices behind `names` (aliases or indices) that searches read, and those that searches leave out."""
    found = resolved(client, [f"{name}*" for name in sorted(names)])  # a pattern may match nothing
    behind = {index for alias, indices in _aliases(found) if alias in names for index in indices}
    attributes = {each["name"]: each.get("attributes", ()) for each in found.get("indices", ())}
    if others := sorted(behind - set(attributes)):  # the name of an index is an alias of another one
        attributes |= {each["name"]: each.get("attributes", ()) for each in resolved(client, others).get("indices", ())}
    seen, unseen = [], {}
    for name, state in attributes.items():
        searched = name in names | behind
        prefix = next((each for each in names if belongs_to(each, name)), None)
        if not searched and prefix is None:
            continue
        if "closed" in state:
            unseen[name] = closed(name)
        elif not searched:
            unseen[name] = f"it is not behind the alias {prefix}; run `triage index apply`"
        else:
            seen.append(name)
    return Visibility(sorted(seen), unseen)


def closed(index: str) -> str:
    """The reason and the fix for an index that searches can't read because it is closed."""
    return f"it is closed; open it: POST /{index}/_open"


def resolved(client: Elasticsearch, names: list[str]) -> dict[str, Any]:
    """Resolve names and patterns to indices and aliases, closed and hidden ones included.

    Returns the response of Elasticsearch's `_resolve/index`: lists `indices` and `aliases`.
    """
    # The client's own method sends a POST, which not every server of version 9 knows.
    path = f"/_resolve/index/{quote(','.join(names), safe=',*')}"
    with translated():
        answer = client.perform_request(
            "GET",
            path,
            params={"expand_wildcards": "all"},
            headers={"accept": "application/json"},
            endpoint_id="indices.resolve_index",
        )
    return dict(answer.body)


def _aliases(found: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for each in found.get("aliases", ()):
        indices = each["indices"]
        yield each["name"], [indices] if isinstance(indices, str) else list(indices)
