"""Stores and reads conversations, one document each, whose version is the conversation's revision.

Every function raises Unavailable, AccessDenied, DependencyError.
"""

from collections.abc import Iterable, Iterator

import msgspec
from elasticsearch import ConflictError, Elasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.errors import DEPENDENCY, translated
from triage.elastic.index_faults import count_deleted, written
from triage.elastic.mapping import JsonObject, conversation_mapping
from triage.elastic.reading import count, read_document, refresh, run_search
from triage.elastic.search import decode_hits
from triage.errors import DependencyError
from triage.schemas.conversation import STATES, Conversation

_PAGE = 500


def read(client: Elasticsearch, settings: ElasticsearchSettings, identity: str) -> Conversation | None:
    """Read the latest version of the conversation with the id `identity`; None if there is none."""
    found = read_document(client, settings.conversations(), identity)
    if found is None:
        return None
    try:
        return msgspec.convert(found["_source"], Conversation)
    except msgspec.ValidationError as error:
        message = f"conversation {identity} was written by another version of triage: {error}"
        raise DependencyError(DEPENDENCY, message) from error


def write(client: Elasticsearch, settings: ElasticsearchSettings, conversation: Conversation) -> bool:
    """Store a conversation; returns False, without storing, unless its revision is above the stored one."""
    index = settings.conversations()
    with written(client, index, conversation_mapping({"type": "text"})):
        try:
            # Not external_gte: of two writers of one revision the second must be told.
            client.index(
                index=index,
                id=conversation.id,
                document=msgspec.to_builtins(conversation),
                version=conversation.revision,
                version_type="external",
            )
        except ConflictError:
            return False
    return True


def in_state(client: Elasticsearch, settings: ElasticsearchSettings, state: str, size: int) -> list[Conversation]:
    """Search at most `size` conversations in a state, those unchanged for longest first.

    Recent writes may be missing.
    """
    body = run_search(
        client,
        settings.conversations(),
        query={"bool": {"filter": [{"term": {"state": state}}]}},
        size=size,
        sort=[{"updated_at": "asc"}, {"id": "asc"}],
    )
    return [conversation for _, conversation in decode_hits(body, Conversation)]


def latest(client: Elasticsearch, settings: ElasticsearchSettings, size: int) -> list[Conversation]:
    """Search the `size` conversations that changed last, newest first. Recent writes may be missing."""
    order: list[JsonObject] = [{"updated_at": "desc"}, {"id": "asc"}]
    body = run_search(client, settings.conversations(), size=size, sort=order)
    return [conversation for _, conversation in decode_hits(body, Conversation)]


def pages(client: Elasticsearch, settings: ElasticsearchSettings) -> Iterator[Conversation]:
    """Read all conversations in the order of their ids. Recent writes, and those meanwhile, may be missing."""
    refresh(client, settings.conversations())
    after: list[str] | None = None
    while True:
        more = {"search_after": after} if after else {}
        body = run_search(client, settings.conversations(), size=_PAGE, sort=[{"id": "asc"}], **more)
        found = [conversation for _, conversation in decode_hits(body, Conversation)]
        yield from found
        if len(body["hits"]["hits"]) < _PAGE:
            return
        after = [body["hits"]["hits"][-1]["_id"]]


def counts(client: Elasticsearch, settings: ElasticsearchSettings) -> dict[str, int]:
    """Number of conversations by state. Recent writes may be missing."""
    filters = {state: {"filter": {"term": {"state": state}}} for state in STATES}
    body = run_search(client, settings.conversations(), size=0, aggregations=filters)
    found = body.get("aggregations", {})
    return {state: int(found.get(state, {}).get("doc_count", 0)) for state in STATES}


def erase_conversations(
    client: Elasticsearch, settings: ElasticsearchSettings, authors: Iterable[str], *, dry_run: bool = False
) -> int:
    """Delete the conversations of these authors (keyed hashes); return their number.

    With `dry_run` they are only counted. Raises Unavailable also if the index refuses deletions, e.g. because it is
    read-only.
    """
    index = settings.conversations()
    query: JsonObject = {"bool": {"filter": [{"terms": {"author_id": sorted(authors)}}]}}
    refresh(client, index)
    if dry_run:
        return count(client, index, query)
    erased = 0
    while True:
        body = run_search(client, index, query=query, size=_PAGE, source=False)
        found = [str(hit["_id"]) for hit in body["hits"]["hits"]]
        if not found:
            return erased
        operations = [{"delete": {"_index": index, "_id": identity}} for identity in found]
        with translated():
            answer = client.bulk(operations=operations, refresh=True).body
        # Raises if one is refused: it would be found again in an endless loop.
        erased += count_deleted(answer)
