"""The index of knowledge: writes passages, switches articles to their new version, deletes what is old.

All functions raise Unavailable, AccessDenied, DependencyError, and IndexUnusable for an index that refuses documents.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from elastic_transport import ApiError
from elasticsearch import Elasticsearch

from triage.elastic.bulk import send_bulk
from triage.elastic.errors import DEPENDENCY, cause, is_overload, translated
from triage.elastic.index_faults import remedy
from triage.elastic.knowledge_mapping import knowledge_mapping
from triage.elastic.mapping import JsonObject
from triage.elastic.reading import count, read_document, read_documents, refresh, run_search
from triage.elastic.template import full_text, probe
from triage.errors import DependencyError, IndexUnusable, Unavailable
from triage.schemas.knowledge import Article, ArticleState, PassageDocument, passage_id

_PAGE = 1_000
_ARTICLES: JsonObject = {"bool": {"filter": [{"term": {"doc": "article"}}]}}


@dataclass(frozen=True)
class StoredArticle:
    """The state of an article in the index; `seq_no` and `primary_term` let a later write notice its change."""

    state: ArticleState
    seq_no: int
    primary_term: int


def ensure_index(
    client: Elasticsearch, index: str, mapping: Callable[[JsonObject], JsonObject] = knowledge_mapping
) -> bool:
    """Create an index, of knowledge by default, unless it exists; returns True if it was created.

    `mapping` makes the mapping from the definition of full-text fields.
    """
    with translated():
        if client.indices.exists(index=index):
            _add_fields(client, index, mapping)
            return False
        text, analysis = full_text(probe(client))
        settings = {"index": {"number_of_shards": "1", **({"analysis": analysis} if analysis else {})}}
        try:
            client.indices.create(index=index, settings=settings, mappings=mapping(text))
        except ApiError as error:
            if cause(error.body)[0] != "resource_already_exists_exception":
                raise
            return False
    return True


def _add_fields(client: Elasticsearch, index: str, mapping: Callable[[JsonObject], JsonObject]) -> None:
    """Add the fields that an earlier version of triage did not have; full-text ones have always been there."""
    wanted = mapping({})["properties"]
    for found in client.indices.get_mapping(index=index).body.values():
        known = found["mappings"].get("properties", {})
        if missing := {name: each for name, each in wanted.items() if name not in known and each}:
            client.indices.put_mapping(index=index, properties=missing)


def read_articles(client: Elasticsearch, index: str) -> dict[str, StoredArticle]:
    """The state of every article of the index, by its id; {} for an index that does not exist."""
    found: dict[str, StoredArticle] = {}
    after: list[Any] | None = None
    while True:
        body = run_search(
            client, index, query=_ARTICLES, size=_PAGE, sort=[{"article": "asc"}], search_after=after,
            seq_no_primary_term=True, source={"includes": ["stored"]},
        )  # fmt: skip
        hits = body["hits"]["hits"]
        if not hits:
            return found
        after = hits[-1]["sort"]
        for hit in hits:
            state = _state(hit)
            found[state.article] = StoredArticle(state, hit["_seq_no"], hit["_primary_term"])


def read_article(client: Elasticsearch, index: str, article: str) -> StoredArticle | None:
    """The state of one article, also if it is not visible to searches yet; None if the index does not have it."""
    hit = read_document(client, index, article)
    return None if hit is None else StoredArticle(_state(hit), hit["_seq_no"], hit["_primary_term"])


def current_versions(client: Elasticsearch, index: str, articles: Iterable[str]) -> dict[str, str]:
    """The current version of each of these articles, as visible to searches; unknown ones are left out."""
    wanted = sorted(set(articles))
    if not wanted:
        return {}
    query = {"bool": {"filter": [{"term": {"doc": "article"}}, {"terms": {"article": wanted}}]}}
    body = run_search(client, index, query=query, size=len(wanted), source={"includes": ["article", "version"]})
    return {hit["_source"]["article"]: hit["_source"]["version"] for hit in body["hits"]["hits"]}


def read_versions(client: Elasticsearch, index: str, article: str) -> list[tuple[Article, str, str]]:
    """(article, version, time of the first `apply`) of every version of an article, the oldest first."""
    query = {"bool": {"filter": [{"term": {"doc": "version"}}, {"term": {"article": article}}]}}
    body = run_search(client, index, query=query, size=_PAGE)
    found = [
        (msgspec.convert(stored["article"], Article), hit["_source"]["version"], str(stored["applied_at"]))
        for hit in body["hits"]["hits"]
        for stored in (hit["_source"]["stored"],)
    ]
    return sorted(found, key=lambda each: each[2])


@dataclass(frozen=True)
class Leftovers:
    """Traces of an `apply` that was killed.

    `stale` are `_id`s of passages whose version is not that of their article, `incomplete` articles that lack passages.
    """

    stale: list[str]
    incomplete: set[str]


def find_leftovers(client: Elasticsearch, index: str, current: Mapping[str, StoredArticle]) -> Leftovers:
    """Compare the visible passages with the articles."""
    counted = sum(each.state.passages for each in current.values())
    query: JsonObject = {"bool": {"filter": [{"term": {"doc": "passage"}}]}}
    if count(client, index, query) == counted:
        return Leftovers([], set())
    stale: list[str] = []
    missing = {article: each.state.passages for article, each in current.items()}
    after: list[Any] | None = None
    while True:
        body = run_search(
            client, index, query=query, size=_PAGE, sort=[{"article": "asc"}, {"version": "asc"}, {"number": "asc"}],
            search_after=after, source={"includes": ["article", "version", "number"]},
        )  # fmt: skip
        hits = body["hits"]["hits"]
        if not hits:
            return Leftovers(stale, {article for article, number in missing.items() if number > 0})
        after = hits[-1]["sort"]
        for hit in hits:
            source = hit["_source"]
            known = current.get(source["article"])
            if known is None or known.state.version != source["version"]:
                stale.append(hit["_id"])
            else:
                missing[source["article"]] -= 1


def missing_passages(client: Elasticsearch, index: str, passages: Sequence[PassageDocument]) -> list[PassageDocument]:
    """Those of these passages that the index does not have, whether searches see them or not."""
    ids = [passage_id(each.article, each.version, each.number) for each in passages]
    there = {hit["_id"] for hit in read_documents(client, [(index, each) for each in ids], fields=())}
    return [each for each, identity in zip(passages, ids, strict=True) if identity not in there]


def write_passages(client: Elasticsearch, index: str, passages: Iterable[PassageDocument]) -> None:
    """Write passages; searches find them once their article names their version and the index is refreshed."""
    lines: list[bytes] = []
    for each in passages:
        action = {"index": {"_index": index, "_id": passage_id(each.article, each.version, each.number)}}
        lines += [msgspec.json.encode(action), msgspec.json.encode(each)]
    for item in _bulk(client, lines):
        require_written(item["index"], index)


def write_versions(client: Elasticsearch, index: str, versions: Iterable[tuple[Article, str]], applied_at: str) -> None:
    """Keep the texts of article versions, each given as (article, version), unless they are kept already.

    `applied_at` is the time to store with them (RFC 3339).
    """
    lines: list[bytes] = []
    for article, version in versions:
        document = {
            "doc": "version",
            "article": article.id,
            "version": version,
            "stored": {"article": msgspec.to_builtins(article), "applied_at": applied_at},
        }
        action = {"create": {"_index": index, "_id": f"{article.id}@{version}"}}
        lines += [msgspec.json.encode(action), msgspec.json.encode(document)]
    for item in _bulk(client, lines):
        if item["create"]["status"] != 409:
            require_written(item["create"], index)


def switch_articles(
    client: Elasticsearch, index: str, changes: Sequence[tuple[ArticleState, StoredArticle | None]]
) -> list[bool]:
    """Make each new state the current one of its article, in one request; changes are (new state, state that was read).

    The second is None for a new article. Returns for each change False if another process changed the article
    meanwhile.
    """
    lines: list[bytes] = []
    for state, before in changes:
        place: JsonObject = {"_index": index, "_id": state.article}
        if before is None:
            action: JsonObject = {"create": place}
        else:
            action = {"index": {**place, "if_seq_no": before.seq_no, "if_primary_term": before.primary_term}}
        document = {
            "doc": "article",
            "article": state.article,
            "version": state.version,
            "language": state.language,
            "audience": state.audience,
            "stored": msgspec.to_builtins(state),
        }
        lines += [msgspec.json.encode(action), msgspec.json.encode(document)]
    switched = []
    for item in _bulk(client, lines):
        (result,) = item.values()
        switched.append(result["status"] != 409)
        if switched[-1]:
            require_written(result, index)
    return switched


def remove_article(client: Elasticsearch, index: str, before: StoredArticle) -> bool:
    """Delete an article; its passages and versions stay.

    False, and nothing is deleted, if the article is not as in `before` any more, because another process changed it.
    """
    place = {"_index": index, "_id": before.state.article}
    action = {"delete": {**place, "if_seq_no": before.seq_no, "if_primary_term": before.primary_term}}
    (item,) = _bulk(client, [msgspec.json.encode(action)])
    if item["delete"]["status"] == 409:
        return False
    if item["delete"]["status"] != 404:
        require_written(item["delete"], index)
    return True


def passage_ids(state: ArticleState) -> list[str]:
    """`_id`s of all passages of the article version that `state` describes."""
    return [passage_id(state.article, state.version, number) for number in range(1, state.passages + 1)]


def make_visible(client: Elasticsearch, index: str) -> None:
    """Make all written documents visible to searches."""
    refresh(client, index)


def _bulk(client: Elasticsearch, lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    if not lines:
        return iter(())
    with translated():
        body = send_bulk(client, lines)
    return iter(body["items"])


def require_written(result: Mapping[str, Any], index: str) -> None:
    """Raise IndexUnusable, or Unavailable in overload, if `result` says that an operation of a bulk request failed.

    `result` is what the response says about the operation.
    """
    if result["status"] < 300:
        return
    kind, reason = cause(result.get("error"))
    problem = f"{result['status']} {kind}: {reason} while writing {result.get('_id')}"
    if is_overload(result["status"], kind):
        raise Unavailable(DEPENDENCY, problem)
    raise IndexUnusable(DEPENDENCY, f"{problem} in {index}; {remedy(result.get('error'), index)}", index)


def _state(hit: Mapping[str, Any]) -> ArticleState:
    try:
        return msgspec.convert(hit["_source"]["stored"], ArticleState)
    except (KeyError, msgspec.ValidationError) as error:
        raise DependencyError(
            DEPENDENCY, f"{hit['_index']}/{hit['_id']} was written by another version of triage: {error}"
        ) from error
