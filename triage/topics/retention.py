"""Computes from topic settings how long the records written to the topics are retained."""

from collections.abc import Iterable
from dataclasses import dataclass

from triage.config import KafkaSettings
from triage.topics.admin import topic_settings

# Interval at which brokers look for expired segments (log.retention.check.interval.ms, by default).
_CHECK_MS = 5 * 60_000


@dataclass(frozen=True, slots=True)
class Retention:
    """The retention of one topic.

    `until_ms` is the latest time, in ms since the epoch, at which a record now in the topic is deleted; None if it is
    never deleted, or if the settings cannot be read. A segment takes records for `segment_ms` at most and is deleted as
    a whole, once its newest record is older than `retention_ms`; the broker checks every five minutes and deletes the
    file shortly after.
    """

    topic: str
    retention_ms: int | None
    segment_ms: int | None
    until_ms: int | None


def retention_of(settings: KafkaSettings, names: Iterable[str], now_ms: int) -> list[Retention]:
    """Return the retention of each topic (given by its short name) that exists, as of `now_ms`.

    Raises Unavailable if no broker answers, AccessDenied if the login is refused.
    """
    found = []
    for topic, config in topic_settings(settings, names).items():
        retention_ms, segment_ms = _number(config, "retention.ms"), _number(config, "segment.ms")
        delay_ms = _number(config, "file.delete.delay.ms") or 60_000
        until_ms = None
        if retention_ms is not None and segment_ms is not None and "delete" in (config.get("cleanup.policy") or ""):
            until_ms = now_ms + retention_ms + segment_ms + _CHECK_MS + delay_ms
        found.append(Retention(topic, retention_ms, segment_ms, until_ms))
    return found


def _number(config: dict[str, str | None], name: str) -> int | None:
    try:
        value = int(config.get(name) or -1)
    except ValueError:
        return None
    return value if value >= 0 else None
