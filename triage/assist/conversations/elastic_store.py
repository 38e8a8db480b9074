"""Stores conversations in Elasticsearch."""

from elasticsearch import Elasticsearch

from triage.assist.conversations.errors import RevisionConflict
from triage.config import ElasticsearchSettings
from triage.elastic import conversations
from triage.schemas.conversation import Conversation, State


class ElasticStore:
    """Conversations as documents of the index `elasticsearch.conversations_index`. Thread-safe."""

    def __init__(self, client: Elasticsearch, settings: ElasticsearchSettings) -> None:
        self._client, self._settings = client, settings

    def read(self, identity: str) -> Conversation | None:
        return conversations.read(self._client, self._settings, identity)

    def write(self, conversation: Conversation) -> None:
        if not conversations.write(self._client, self._settings, conversation):
            raise RevisionConflict(f"{conversation.id} has revision {conversation.revision} or more already")

    def in_state(self, state: State, size: int) -> list[Conversation]:
        return conversations.in_state(self._client, self._settings, state, size)

    def counts(self) -> dict[str, int]:
        return conversations.counts(self._client, self._settings)
