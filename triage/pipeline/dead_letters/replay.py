"""Dead letters back into their topics: from the raw record, once, as the record that it was."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Literal, NamedTuple

import msgspec
from kafka.consumer.fetcher import ConsumerRecord

from triage.clock import Clock, rfc3339
from triage.config import Settings
from triage.pipeline.dead_letters.origin_headers import Origin, parse_position, with_origin
from triage.pipeline.dead_letters.reader import TOPIC, DeadLetterFilter, read_letters
from triage.pipeline.kafka.command_transactions import Transactions
from triage.schemas.deadletter import DeadLetter
from triage.topics.scan import TopicScan
from triage.topics.settled import wait_until_settled

CRASHED = "crashed_the_worker"
_CHUNK = 100

Outcome = Literal["replayed", "would_replay", "already_replayed", "gone", "needs_its_reason", "forgotten"]
Forgotten = Callable[[bytes, int], bool]
"""Whether a raw record (payload, broker's timestamp in ms) is of an author who was forgotten since."""


class Replayed(NamedTuple):
    """What became of one letter's record."""

    letter: DeadLetter
    outcome: Outcome


class _Examined(NamedTuple):
    letter: DeadLetter
    record: ConsumerRecord | None
    outcome: Outcome


def replay_letters(
    settings: Settings,
    clock: Clock,
    wanted: DeadLetterFilter,
    *,
    forgotten: Forgotten,
    dry_run: bool = False,
    limit: int | None = None,
) -> Iterator[Replayed]:
    """Put the records of the wanted letters into their raw topics again, oldest failure first, at most `limit` of them.

    Each copy names its first position and is noted in the dead-letter topic in the same transaction, so a record is
    back in its topic once however often this runs, and a second run fences a first one that is still going. Letters
    with reason `crashed_the_worker` are taken only where the reason or the position was asked for.

    Raises Unavailable, DependencyError, AccessDenied, ConfigError; it can be run again after each.
    """
    if dry_run:
        with TopicScan(settings.kafka, "triage-dead-letters") as scan:
            for chunk in _examined(scan, wanted, forgotten, limit):
                yield from [Replayed(each.letter, each.outcome) for each in chunk]
        return
    # The producer comes first: its initialisation fences a run beside this one before the letters are read.
    transactions = Transactions(settings, "dead-letters", "triage dead-letters replay")
    with closing(transactions), TopicScan(settings.kafka, "triage-dead-letters") as scan:
        _see_earlier_notes(scan, settings)
        for chunk in _examined(scan, wanted, forgotten, limit):
            _put_back(transactions, settings, clock, chunk)
            yield from [
                Replayed(each.letter, "replayed" if each.outcome == "would_replay" else each.outcome) for each in chunk
            ]


def _see_earlier_notes(scan: TopicScan, settings: Settings) -> None:
    """What an earlier run has noted may stand behind a transaction of a worker, which hides it until its end."""
    patience_ms = settings.worker.transaction_timeout_ms + settings.kafka.request_timeout_ms
    notes = scan.existing_partitions(TOPIC)
    wait_until_settled(scan, settings.kafka, notes, patience_ms / 1000)


def _examined(
    scan: TopicScan, wanted: DeadLetterFilter, forgotten: Forgotten, limit: int | None
) -> Iterator[list[_Examined]]:
    """The wanted letters, some at a time, up to the `limit`th that can be replayed."""
    letters = read_letters(scan, wanted)
    left = len(letters) if limit is None else limit
    for start in range(0, len(letters), _CHUNK):
        chunk = []
        for letter, record in _raw(scan, letters[start : start + _CHUNK]):
            if not left:
                break
            outcome = _outcome(letter, record, wanted, forgotten)
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
    notes = settings.kafka.topic(TOPIC)
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
            note = msgspec.structs.replace(letter, replayed_at=now)
            producer.send(notes, key=letter.key.encode(), value=msgspec.json.encode(note))


def _origin(letter: DeadLetter, record: ConsumerRecord) -> Origin:
    """The first position with the broker's time there, which a copy of a copy carries on."""
    first_ms = record.timestamp
    for name, value in record.headers or ():
        if name == "triage-original-timestamp-ms" and value is not None and letter.original:
            with suppress(ValueError):
                first_ms = int(value)
    return Origin(parse_position(letter.key), first_ms, letter.attempts)


def _outcome(
    letter: DeadLetter, record: ConsumerRecord | None, wanted: DeadLetterFilter, forgotten: Forgotten
) -> Outcome:
    if letter.replayed_at:
        return "already_replayed"
    if letter.reason == CRASHED and wanted.reason != CRASHED and not wanted.positions:
        return "needs_its_reason"
    if record is None:
        return "gone"
    if forgotten(record.value or b"", record.timestamp):
        return "forgotten"
    return "would_replay"


def _raw(scan: TopicScan, letters: Sequence[DeadLetter]) -> list[tuple[DeadLetter, ConsumerRecord | None]]:
    """Each letter with its raw record, while that is retained."""
    records = scan.fetch(parse_position(letter.position) for letter in letters if not letter.replayed_at)
    return [(letter, records.get(parse_position(letter.position))) for letter in letters]
