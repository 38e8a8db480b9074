"""Reads and writes the Kafka headers of replayed records: first position, its timestamp, and number of attempts."""

from collections.abc import Iterable
from typing import NamedTuple

from triage.errors import InvalidRecord
from triage.pipeline.batch import ConsumedMessage
from triage.topics.kafka_compat import sendable_headers
from triage.types import Position

POSITION = "triage-original-position"
TIMESTAMP = "triage-original-timestamp-ms"
ATTEMPTS = "triage-attempts"
_NAMES = frozenset({POSITION, TIMESTAMP, ATTEMPTS})
_MAX_ATTEMPTS = 1_000_000
_MAX_OFFSET = 2**63 - 1

Headers = Iterable[tuple[str, bytes | None]]


class Origin(NamedTuple):
    """Origin of a replayed record: its first position, the broker's timestamp there, and the attempts so far."""

    position: Position
    timestamp_ms: int
    attempts: int


def origin_of(message: ConsumedMessage) -> Origin | None:
    """Return the origin of a replayed record; None for a record that was not replayed.

    Raises InvalidRecord for invalid origin headers.
    """
    found = {name: value for name, value in message.headers if name in _NAMES}
    if POSITION not in found:
        return None
    try:
        position = parse_position((found[POSITION] or b"").decode())
        timestamp_ms, attempts = int(found[TIMESTAMP] or b""), int(found[ATTEMPTS] or b"")
    except (KeyError, ValueError) as error:
        raise _bad(f"header {POSITION} needs topic/partition/offset and numbers in {TIMESTAMP}, {ATTEMPTS}") from error
    if position.topic != message.position.topic:
        raise _bad(f"header {POSITION} names the topic {position.topic!r}, not the topic of the record")
    if not 0 <= timestamp_ms <= message.timestamp_ms:
        raise _bad(f"header {TIMESTAMP} is not between 0 and the record's own timestamp")
    # Numbers of thousands of digits could be read, but not written again.
    if not 0 <= attempts <= _MAX_ATTEMPTS or max(position.partition, position.offset) > _MAX_OFFSET:
        raise _bad(f"header {ATTEMPTS} is not between 0 and {_MAX_ATTEMPTS}, or {POSITION} is beyond any topic")
    return Origin(position, timestamp_ms, attempts)


def with_origin(headers: Headers, origin: Origin) -> list[tuple[str, bytes]]:
    """Return the headers for the copy of a replayed record: the record's own, plus those of `origin`.

    Existing origin headers are replaced.
    """
    return [
        *((name, value) for name, value in sendable_headers(headers) if name not in _NAMES),
        (POSITION, str(origin.position).encode()),
        (TIMESTAMP, str(origin.timestamp_ms).encode()),
        (ATTEMPTS, str(origin.attempts).encode()),
    ]


def parse_position(text: str) -> Position:
    """Parse a position of the form topic/partition/offset, such as `feedback.complaints/0/12`.

    Raises ValueError for text of another form.
    """
    topic, partition, offset = text.rsplit("/", 2)
    if not topic or int(partition) < 0 or int(offset) < 0:
        raise ValueError(f"not topic/partition/offset: {text!r}")
    return Position(topic, int(partition), int(offset))


def _bad(message: str) -> InvalidRecord:
    return InvalidRecord("bad_replay_header", message, stage="decode")
