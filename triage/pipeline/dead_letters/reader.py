"""Reads the dead-letter topic: the latest dead letter of each record, with filters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from triage.clock import parse_rfc3339
from triage.errors import NotUnderstood
from triage.logging import get_logger
from triage.schemas.deadletter import DeadLetter
from triage.schemas.message import MessageDecoder
from triage.topics.scan import TopicScan

log = get_logger("triage.deadletters")

TOPIC = "dead-letter"


@dataclass(frozen=True)
class DeadLetterFilter:
    """Conditions on dead letters, all of which must be met; an empty or None condition is always met.

    `positions` are texts of the form topic/partition/offset, of the failed record or of its first copy. `since_ms`
    (inclusive) and `until_ms` (exclusive) limit `failed_at`, in ms since the epoch.
    """

    positions: frozenset[str] = frozenset()
    stage: str | None = None
    reason: str | None = None
    topic: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def matches_everything(self) -> bool:
        return self == DeadLetterFilter()

    def matches(self, letter: DeadLetter) -> bool:
        failed_ms = _ms(letter.failed_at)
        return (
            (not self.positions or letter.position in self.positions or letter.key in self.positions)
            and self.stage in {None, letter.stage}
            and self.reason in {None, letter.reason}
            and self.topic in {None, letter.topic}
            and (self.since_ms is None or failed_ms >= self.since_ms)
            and (self.until_ms is None or failed_ms < self.until_ms)
        )


def read_letters(scan: TopicScan, letter_filter: DeadLetterFilter) -> list[DeadLetter]:
    """Return the latest dead letter of each record, if it matches the filter, ordered by the time of failure.

    A letter with `replayed_at` belongs to a record that was put back into its topic and has not failed again.
    """
    states: dict[str, DeadLetter] = {}
    for key, letter in entries(scan):
        if letter is None:
            states.pop(key, None)
        elif letter_filter.matches(letter):
            states[letter.key] = letter
        else:
            # A later failure that does not match replaces an earlier one that did.
            states.pop(letter.key, None)
    return sorted(states.values(), key=lambda letter: (letter.failed_at, letter.topic, letter.partition, letter.offset))


def entries(
    scan: TopicScan, not_understood: Callable[[str], object] | None = None
) -> Iterator[tuple[str, DeadLetter | None]]:
    """Yield (key, dead letter) for each message of the dead-letter topic, in order for each key.

    The letter is None if it was erased (a tombstone). `not_understood` is called with the key of each message that
    triage did not write; it is left out. Raises ConfigError if the topic is missing, AccessDenied without the
    permission to read it, and Unavailable.
    """
    decoder: MessageDecoder[DeadLetter] = MessageDecoder(DeadLetter)
    for records in scan.read(scan.ranges(scan.existing_partitions(TOPIC))):
        for record in records:
            key = (record.key or b"").decode("utf-8", "replace")
            if record.value is None:
                yield key, None
                continue
            try:
                yield key, decoder.decode(record.value)
            except NotUnderstood as error:
                log.warning("dead_letter_not_understood", key=key, error=str(error))
                if not_understood is not None:
                    not_understood(key)


def _ms(failed_at: str) -> int:
    return parse_rfc3339(failed_at)
