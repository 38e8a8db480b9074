"""Replays dead letters: writes the raw record to its topic again, once, with headers for its first position."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Literal, NamedTuple

import msgspec

from triage.clock import Clock, rfc3339
from triage.config import Settings
from triage.pipeline.dead_letters.origin_headers import Origin, parse_position, with_origin
from triage.pipeline.dead_letters.reader import TOPIC, DeadLetterFilter, read_letters
from triage.pipeline.kafka.command_transactions import Transactions
from triage.schemas.deadletter import DeadLetter
from triage.topics.kafka_types import ConsumerRecord
from triage.topics.open_transactions import wait_for_open_transactions
from triage.topics.scan import TopicScan, log_unreadable

CRASHED = "crashed_the_worker"
# Of a whole batch, of which the letter's position is but the first record.
UNREADABLE = "unreadable_batch"
_CHUNK = 100

Outcome = Literal["replayed", "would_replay", "already_replayed", "gone", "needs_its_reason", "forgotten"]
IsErased = Callable[[bytes, int], bool]
"""True for a raw record (payload, broker's timestamp in ms) of an author who was erased since."""


class Replayed(NamedTuple):
    """A dead letter and the outcome of its replay."""

    letter: DeadLetter
    outcome: Outcome


class _Examined(NamedTuple):
    letter: DeadLetter
    record: ConsumerRecord | None
    outcome: Outcome


def replay_letters(
    settings: Settings,
    clock: Clock,
    letter_filter: DeadLetterFilter,
    *,
    is_erased: IsErased,
    dry_run: bool = False,
    limit: int | None = None,
) -> Iterator[Replayed]:
    """Put the records of matching letters back into their raw topics, oldest failure first, `limit` at most.

    The headers of each copy contain its first position, and the same transaction marks the letter as replayed.
    Therefore a record is put back once, however often this runs, and a second run fences a first one that is still
    running. Letters with reason `crashed_the_worker` are replayed only if the filter names that reason or their
    position. `is_erased` is true for records of erased authors, which are not put back.

    Yields each letter with its outcome; with `dry_run` nothing is written. Raises Unavailable, DependencyError,
    AccessDenied or ConfigError for errors of Kafka and of the settings; after any of them it can be run again.
    """
    if dry_run:
        with TopicScan(settings.kafka, "triage-dead-letters", unreadable=log_unreadable) as scan:
            for chunk in _examined(scan, letter_filter, is_erased, limit):
                yield from [Replayed(each.letter, each.outcome) for each in chunk]
        return
    # The producer is initialized first: it fences another run before the letters are read.
    transactions = Transactions(settings, "dead-letters", "triage dead-letters replay")
    with closing(transactions), TopicScan(settings.kafka, "triage-dead-letters", unreadable=log_unreadable) as scan:
        _wait_for_earlier_marks(scan, settings)
        for chunk in _examined(scan, letter_filter, is_erased, limit):
            _put_back(transactions, settings, clock, chunk)
            yield from [
                Replayed(each.letter, "replayed" if each.outcome == "would_replay" else each.outcome) for each in chunk
            ]


def _wait_for_earlier_marks(scan: TopicScan, settings: Settings) -> None:
    """Wait until no transaction is open on the dead-letter topic, so that the marks of an earlier run can be read.

    While a worker's transaction is open, nothing that was written after its start can be read.
    """
    timeout_ms = settings.worker.transaction_timeout_ms + settings.kafka.request_timeout_ms
    partitions = scan.existing_partitions(TOPIC)
    wait_for_open_transactions(scan, settings.kafka, partitions, timeout_ms / 1000)


def _examined(
    scan: TopicScan, letter_filter: DeadLetterFilter, is_erased: IsErased, limit: int | None
) -> Iterator[list[_Examined]]:
    """Yield the matching letters with raw record and outcome, in chunks of 100, up to the `limit`th replayable one."""
    letters = read_letters(scan, letter_filter)
    left = len(letters) if limit is None else limit
    for start in range(0, len(letters), _CHUNK):
        chunk = []
        for letter, record in _with_raw_records(scan, letters[start : start + _CHUNK]):
            if not left:
                break
            outcome = _outcome(letter, record, letter_filter, is_erased)
            if outcome == "would_replay":
                left -= 1
            chunk.append(_Examined(letter, record, outcome))
        yield chunk
        if not left:
            return


def _put_back(transactions: Transactions, settings: Settings, clock: Clock, chunk: Sequence[_Examined]) -> None:
    chosen = [
        (each.letter, each.record) for each in chunk if each.outcome == "would_replay" and each.record is not None
    ]
    if not chosen:
        return
    letters_topic = settings.kafka.topic(TOPIC)
    now = rfc3339(clock.now_ms())
    with transactions.begin() as producer:
        for letter, record in chosen:
            producer.send(
                record.topic,
                value=record.value,
                key=record.key,
                partition=record.partition,
                headers=with_origin(record.headers or (), _origin(letter, record)),
            )
            marked = msgspec.structs.replace(letter, replayed_at=now)
            producer.send(letters_topic, key=letter.key.encode(), value=msgspec.json.encode(marked))


def _origin(letter: DeadLetter, record: ConsumerRecord) -> Origin:
    """Return the record's first position with the broker's timestamp there, also if it was replayed before."""
    first_ms = record.timestamp
    for name, value in record.headers or ():
        if name == "triage-original-timestamp-ms" and value is not None and letter.original:
            with suppress(ValueError):
                first_ms = int(value)
    return Origin(parse_position(letter.key), first_ms, letter.attempts)


def _outcome(
    letter: DeadLetter, record: ConsumerRecord | None, letter_filter: DeadLetterFilter, is_erased: IsErased
) -> Outcome:
    if letter.replayed_at:
        return "already_replayed"
    if letter.reason == CRASHED and letter_filter.reason != CRASHED and not letter_filter.positions:
        return "needs_its_reason"
    if record is None or letter.reason == UNREADABLE:
        return "gone"
    if is_erased(record.value or b"", record.timestamp):
        return "forgotten"
    return "would_replay"


def _with_raw_records(scan: TopicScan, letters: Sequence[DeadLetter]) -> list[tuple[DeadLetter, ConsumerRecord | None]]:
    """Return each letter with its raw record, or None if it was replayed already or the topic no longer has it."""
    records = scan.fetch(parse_position(letter.position) for letter in letters if not letter.replayed_at)
    return [(letter, records.get(parse_position(letter.position))) for letter in letters]
