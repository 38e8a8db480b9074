"""Searches passages of knowledge by words and by vectors, in one request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from elasticsearch import Elasticsearch

from triage.elastic.mapping import JsonObject
from triage.elastic.reading import read_documents, run_search, run_searches
from triage.elastic.search import decode_hits
from triage.errors import TriageError
from triage.schemas.knowledge import PassageDocument, passage_id

_CANDIDATES_PER_HIT = 4
_MOST_CANDIDATES = 10_000


@dataclass(frozen=True)
class Scope:
    """The passages that a search may find: those valid on `day` (YYYY-MM-DD), for the public only or for agents too.

    With `product` or `intent`, only articles of these, and those that name none.
    """

    day: str
    public_only: bool = True
    product: str | None = None
    intent: str | None = None

    def filters(self) -> list[JsonObject]:
        found: list[JsonObject] = [{"term": {"doc": "passage"}}]
        if self.public_only:
            found.append({"term": {"audience": "public"}})
        found.append(_or_missing("valid_from", {"range": {"valid_from": {"lte": self.day}}}))
        found.append(_or_missing("valid_until", {"range": {"valid_until": {"gte": self.day}}}))
        for name, value in (("product", self.product), ("intent", self.intent)):
            if value is not None:
                found.append(_or_missing(name, {"term": {name: value}}))
        return found

    def allows(self, passage: PassageDocument) -> bool:
        """Check a found passage again for day and audience, so that no answer depends on the search's filter alone."""
        return (
            (not self.public_only or passage.audience == "public")
            and (passage.valid_from or "") <= self.day
            and (passage.valid_until or self.day) >= self.day
        )


@dataclass(frozen=True)
class FoundPassage:
    """A passage with its score: BM25, or the cosine of the vectors."""

    passage: PassageDocument
    score: float


@dataclass(frozen=True)
class FoundPassages:
    """Passages ranked by words and by vectors, best first.

    `why_no_vectors` is the reason if the second ranking is missing. `by_tokens` is the similarity of the best articles,
    token by token; empty where the passages have no tokens.
    """

    by_words: list[FoundPassage]
    by_vector: list[FoundPassage]
    why_no_vectors: str | None = None
    by_tokens: Mapping[str, float] = field(default_factory=dict)


def find_passages(
    client: Elasticsearch,
    index: str,
    text: str,
    scope: Scope,
    size: int,
    vector: Sequence[float] | None = None,
    encoder: str | None = None,
) -> FoundPassages:
    """Find passages for a text, `size` by each ranking; by vectors only those that `encoder` made.

    Raises Unavailable, AccessDenied, DependencyError if the words cannot be searched.
    """
    filters = scope.filters()
    shown = {"excludes": ["vector", "tokens"]}
    searches: list[JsonObject] = [{"query": words_query(text, filters), "size": size, "_source": shown}]
    if vector is not None:
        searches.append(
            {
                "knn": {
                    "field": "vector",
                    "query_vector": list(vector),
                    "k": size,
                    "num_candidates": min(size * _CANDIDATES_PER_HIT, _MOST_CANDIDATES),
                    "filter": [*filters, {"term": {"encoder": encoder}}],
                },
                "size": size,
                "_source": shown,
            }
        )
    words, *vectors = run_searches(client, index, searches)
    if isinstance(words, TriageError):
        raise words
    by_words = [FoundPassage(passage, float(hit["_score"])) for hit, passage in decode_hits(words, PassageDocument)]
    if not vectors:
        return FoundPassages(by_words, [])
    if isinstance(vectors[0], TriageError):
        return FoundPassages(by_words, [], str(vectors[0]))
    by_vector = [
        FoundPassage(passage, 2 * float(hit["_score"]) - 1) for hit, passage in decode_hits(vectors[0], PassageDocument)
    ]
    if by_words and not by_vector:
        return FoundPassages(by_words, [], f"the index has no vectors of {encoder}; run `triage knowledge apply`")
    return FoundPassages(by_words, by_vector)


def words_query(text: str, filters: list[JsonObject]) -> JsonObject:
    """BM25 query for `text` over title, headings and text of passages, restricted by `filters`."""
    match: JsonObject = {"multi_match": {"query": text, "fields": ["title", "heading", "text"], "type": "best_fields"}}
    return {"bool": {"filter": filters, "must": [match]}}


def _or_missing(name: str, condition: JsonObject) -> JsonObject:
    missing = {"bool": {"must_not": [{"exists": {"field": name}}]}}
    return {"bool": {"should": [condition, missing], "minimum_should_match": 1}}


def read_tokens(client: Elasticsearch, index: str, passages: Sequence[PassageDocument]) -> dict[str, str]:
    """`tokens` of passages by `_id`, of those that have them. Raises Unavailable, AccessDenied, DependencyError."""
    ids = [passage_id(each.article, each.version, each.number) for each in passages]
    found = read_documents(client, [(index, each) for each in ids], fields=["tokens"])
    return {hit["_id"]: hit["_source"]["tokens"] for hit in found if hit["_source"].get("tokens")}


def passages_of_articles(client: Elasticsearch, index: str, articles: Sequence[str]) -> list[PassageDocument]:
    """All passages of some articles, in order. Raises Unavailable, AccessDenied, DependencyError."""
    if not articles:
        return []
    query = {"bool": {"filter": [{"term": {"doc": "passage"}}, {"terms": {"article": list(articles)}}]}}
    body = run_search(
        client, index, query=query, size=1_000, sort=[{"article": "asc"}, {"version": "asc"}, {"number": "asc"}],
        source={"excludes": ["vector", "exact", "tokens"]},
    )  # fmt: skip
    return [passage for _, passage in decode_hits(body, PassageDocument)]
