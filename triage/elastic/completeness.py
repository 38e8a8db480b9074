"""Detects Elasticsearch responses that cover only a part of the data.

Elasticsearch answers 200 although shards failed or the time ran out, and leaves out closed indices if a request ignores
unavailable ones. For commands that must see everything, such as `triage forget`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from elasticsearch import Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.errors import DEPENDENCY, cause, translated
from triage.elastic.naming import belongs_to
from triage.errors import Unavailable


def require_complete(body: Mapping[str, Any], doing: str) -> None:
    """Check that the response to a search, count or refresh covers all shards.

    Raises Unavailable if shards failed, or if the search ended early because of its timeout; its message begins with
    `doing`.
    """
    shards = body.get("_shards") or {}
    if failed := shards.get("failed"):
        kind, reason = cause((shards.get("failures") or [{}])[0].get("reason"))
        why = f" ({kind}: {reason})" if kind else ""
        raise Unavailable(
            DEPENDENCY,
            f"{doing}: {failed} of {shards.get('total', failed)} shards failed{why}; GET _cluster/health says more",
        )
    if body.get("timed_out"):
        raise Unavailable(DEPENDENCY, f"{doing}: the time was up before all shards had answered")


@dataclass(frozen=True)
class Visibility:
    """Indices that searches read (`seen`), and those that searches leave out (`unseen`).

    `unseen` maps the name of an index to the reason and the fix.
    """

    seen: list[str]
    unseen: dict[str, str]

    def require_all(self, doing: str) -> None:
        """Raise Unavailable, naming the indices, if searches leave out any; the message begins with `doing`."""
        if self.unseen:
            listed = "".join(f"\n  - {index}: {reason}" for index, reason in sorted(self.unseen.items()))
            raise Unavailable(DEPENDENCY, f"{doing} would pass over:{listed}")


def visible_indices(client: Elasticsearch, settings: ElasticsearchSettings) -> Visibility:
    """Find the indices of records, alerts and corrections that searches read, and those that searches leave out.

    Left out are closed indices, and indices without the alias of the records. Raises Unavailable, AccessDenied,
    DependencyError.
    """
    prefix = settings.index_prefix
    names = {prefix, settings.alerts_index, settings.corrections()}
    found = _resolved(client, [f"{name}*" for name in sorted(names)])  # a pattern may match nothing
    behind = {index for alias, indices in _aliases(found) if alias in names for index in indices}
    attributes = {each["name"]: each.get("attributes", ()) for each in found.get("indices", ())}
    if others := sorted(behind - set(attributes)):  # the name of an index is an alias of another one
        attributes |= {
            each["name"]: each.get("attributes", ()) for each in _resolved(client, others).get("indices", ())
        }
    seen, unseen = [], {}
    for name, state in attributes.items():
        searched = name in names | behind
        if not searched and not belongs_to(prefix, name):
            continue
        if "closed" in state:
            unseen[name] = f"it is closed; open it: POST /{name}/_open"
        elif not searched:
            unseen[name] = f"it is not behind the alias {prefix}; run `triage index apply`"
        else:
            seen.append(name)
    return Visibility(sorted(seen), unseen)


def _resolved(client: Elasticsearch, names: list[str]) -> dict[str, Any]:
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


def _aliases(resolved: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for each in resolved.get("aliases", ()):
        indices = each["indices"]
        yield each["name"], [indices] if isinstance(indices, str) else list(indices)
