"""Runs the detection of emerging topics over the index: sample, encode, detect, report."""

from collections.abc import Callable

import numpy as np
from elasticsearch import Elasticsearch

from triage.assist.encoder.base import SentenceEncoder
from triage.assist.topics.detection import emerging_topics
from triage.assist.topics.sampling import WEEK_MS, WEEKS_BEFORE, sample
from triage.clock import rfc3339
from triage.config import ElasticsearchSettings, MarketSettings
from triage.schemas.topic import TopicReport

_BATCH = 256


def find_topics(
    client: Elasticsearch,
    settings: ElasticsearchSettings,
    market: MarketSettings,
    encoder: SentenceEncoder,
    end_ms: int,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> TopicReport:
    """Report the topics of the seven days before `end_ms`, against the 28 days before these.

    `progress` is called with (texts encoded, texts). Raises Unavailable, AccessDenied, DependencyError, ModelError.
    """
    start_ms = end_ms - WEEK_MS
    limits = (market.topic_confidence, market.topic_records)
    new = sample(client, settings, start_ms, end_ms, start_ms, *limits)
    before = sample(client, settings, start_ms - WEEKS_BEFORE * WEEK_MS, start_ms, start_ms, *limits)
    records = [*new.records, *before.records]
    vectors = np.zeros((len(records), encoder.dimensions), np.float32)
    for at in range(0, len(records), _BATCH):
        part = records[at : at + _BATCH]
        vectors[at : at + len(part)] = encoder.encode_questions([each.text for each in part])
        progress(at + len(part), len(records))
    return TopicReport(
        doc="topics",
        at=rfc3339(end_ms),
        start=rfc3339(start_ms),
        end=rfc3339(end_ms),
        records=new.total,
        sampled=len(new.records),
        records_before=before.total,
        sampled_before=len(before.records),
        encoder=encoder.version,
        topics=emerging_topics(records, vectors),
    )
