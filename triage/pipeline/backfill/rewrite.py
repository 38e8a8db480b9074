"""Writing documents again beside live traffic: never older content over newer, in the index or its topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from elasticsearch import Elasticsearch
from kafka import TopicPartition
from kafka.structs import ConsumerGroupMetadata, OffsetAndMetadata

from triage.config import Settings
from triage.elastic import documents
from triage.elastic.naming import IndexNaming
from triage.pipeline.batch import Enriched
from triage.pipeline.kafka.command_transactions import Transactions
from triage.sinks.base import Document, Sink


@dataclass(frozen=True, slots=True)
class Written:
    """`superseded` had newer content already; `refused` are (position in the batch, reason)."""

    written: int
    superseded: int
    refused: list[tuple[int, str]]


class Rewriter:
    """Documents to Elasticsearch, then to `feedback.enriched` under the same keys, with the offsets they came from.

    It is one transaction a batch, under a transactional id of its own, so that a second replay fences the first. The
    index refuses what it has in a newer version. Between the index and the topic a worker may write newer content;
    after each commit the index is asked again, and the topic gets what stands there, until both agree.
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
        """Raises Unavailable when a dependency is away: the same batch can be written again."""
        places = [
            Document(
                item.document_id, self._naming.index_for(item.accepted.event_ms), item.accepted.broker_ms, item.body
            )
            for item in batch
        ]
        result = self._sink.write(places)
        elsewhere = documents.newest(self._client, self._settings.elasticsearch, [place.id for place in places])
        refused = {position for position, _ in result.rejected}
        superseded = set(result.conflicted) | {
            position
            for position, place in enumerate(places)
            if position not in refused and elsewhere.get(place.id, -1) > place.version
        }
        fine = [place for position, place in enumerate(places) if position not in refused | superseded]
        self._commit([(place.id, place.body) for place in fine], offsets)
        self._agree({(place.index, place.id): place.version for place in fine})
        return Written(len(fine), len(superseded), result.rejected)

    def close(self) -> None:
        self._transactions.close()

    def _agree(self, sent: dict[tuple[str, str], int]) -> None:
        """Send what has become newer since; a tombstone for what was deleted."""
        while sent:
            now = documents.current(self._client, list(sent))
            newer: dict[tuple[str, str], int] = {}
            messages: list[tuple[str, bytes | None]] = []
            for place, version in sent.items():
                version_now, document = now.get(place, (version + 1, None))
                if version_now > version:
                    messages.append((place[1], None if document is None else msgspec.json.encode(document)))
                    if document is not None:
                        newer[place] = version_now
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
                    {where: OffsetAndMetadata(offset, "", -1) for where, offset in offsets.items()},
                    ConsumerGroupMetadata(self._group, -1, "", None),
                )
