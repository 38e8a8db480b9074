"""Rewrites documents in the index and the enriched topic while workers run, without overwriting newer content."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from elasticsearch import Elasticsearch

from triage.config import Settings
from triage.elastic import documents
from triage.elastic.naming import IndexNaming
from triage.pipeline.batch import Enriched
from triage.pipeline.kafka.command_transactions import Transactions
from triage.sinks.base import Document, Sink
from triage.topics.kafka_types import GroupMetadata, OffsetAndMetadata, TopicPartition


@dataclass(frozen=True, slots=True)
class Written:
    """Result of writing one batch.

    `written` is the number of documents stored, `superseded` of those that have newer content in the index; `refused`
    lists (position in the batch, reason) of each document that Elasticsearch rejected.
    """

    written: int
    superseded: int
    refused: list[tuple[int, str]]


class Rewriter:
    """Writes documents to Elasticsearch, then to `feedback.enriched` with the same keys, and commits source offsets.

    Each batch is one transaction with a transactional id reserved for replays, so that a second replay fences the
    first. The index rejects documents that it has in a newer version. A worker may write newer content between the
    write to the index and that to the topic. Therefore the index is read again after each commit, and newer documents
    are sent to the topic, until both agree.
    """

    def __init__(self, settings: Settings, client: Elasticsearch, sink: Sink, naming: IndexNaming, group: str) -> None:
        self._settings = settings
        self._client = client
        self._sink = sink
        self._naming = naming
        self._group = group
        self._topic = settings.kafka.topic("enriched")
        self._transactions = Transactions(settings, "replay", "triage replay")

    def write(self, batch: Sequence[Enriched], offsets: Mapping[TopicPartition, int]) -> Written:
        """Write a batch of documents to the index and the enriched topic, and commit its offsets.

        Raises Unavailable if Kafka or Elasticsearch did not accept it: the same batch can be written again.
        """
        to_write = [
            Document(
                item.document_id, self._naming.index_for(item.validated.event_ms), item.validated.version, item.body
            )
            for item in batch
        ]
        result = self._sink.write(to_write)
        newest = documents.newest(self._client, self._settings.elasticsearch, [each.id for each in to_write])
        refused = {position for position, _ in result.rejected}
        superseded = set(result.conflicted) | {
            position
            for position, each in enumerate(to_write)
            if position not in refused and newest.get(each.id, -1) > each.version
        }
        written = [each for position, each in enumerate(to_write) if position not in refused | superseded]
        self._commit([(each.id, each.body) for each in written], offsets)
        self._send_newer({(each.index, each.id): each.version for each in written})
        return Written(len(written), len(superseded), result.rejected)

    def close(self) -> None:
        self._transactions.close()

    def _send_newer(self, sent: dict[tuple[str, str], int]) -> None:
        """Send, of the documents just sent, those that are newer in the index by now, until none is.

        `sent` maps (index, `_id`) to the version that was sent. A tombstone is sent for a document that was deleted.
        """
        while sent:
            current = documents.current(self._client, list(sent))
            newer: dict[tuple[str, str], int] = {}
            messages: list[tuple[str, bytes | None]] = []
            for key, version in sent.items():
                current_version, document = current.get(key, (version + 1, None))
                if current_version > version:
                    messages.append((key[1], None if document is None else msgspec.json.encode(document)))
                    if document is not None:
                        newer[key] = current_version
            self._commit(messages, {})
            sent = newer

    def _commit(self, messages: Sequence[tuple[str, bytes | None]], offsets: Mapping[TopicPartition, int]) -> None:
        if not messages and not offsets:
            return
        with self._transactions.begin() as producer:
            for key, value in messages:
                producer.send(self._topic, key=key.encode(), value=value)
            if offsets:
                producer.send_offsets_to_transaction(
                    {where: OffsetAndMetadata(offset) for where, offset in offsets.items()},
                    GroupMetadata(self._group),
                )
