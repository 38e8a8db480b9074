"""The main loop of `triage ingest`: reads rows, sends the valid ones to Kafka, and counts them."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triage.clock import Clock
from triage.config import KafkaSettings
from triage.errors import InvalidRecord, TriageError
from triage.sources.delivery import Delivery
from triage.sources.rows import Row
from triage.types import Channel

if TYPE_CHECKING:
    from triage.topics.kafka_types import Producer

# Room for the batch and record headers that Kafka counts with a record.
_OVERHEAD_BYTES = 256
_PAUSE_S = 0.2


@dataclass(slots=True)
class Account:
    """Counts of the rows that `ingest` has read so far.

    `accepted` counts the valid rows by channel, which are sent to Kafka except in a dry run; `refused` the invalid
    ones. `last` is the file and line of the last row, `error` the input error that ended reading early.
    """

    rows: int = 0
    accepted: Counter[Channel] = field(default_factory=Counter)
    refused: int = 0
    last: tuple[str, int] | None = None
    error: TriageError | None = None


def ingest(
    rows: Iterable[Row],
    delivery: Delivery | None,
    *,
    clock: Clock,
    on_refused: Callable[[Row, InvalidRecord], None],
    on_row: Callable[[Account], None] | None = None,
    max_bytes: Mapping[Channel, int] | None = None,
    skip: int = 0,
    limit: int | None = None,
    rate: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Account:
    """Send rows until they end, `limit` are read, delivery fails or `stop` returns True; does not wait for Kafka.

    The first `skip` rows are skipped. `rate` is in rows per second. `max_bytes` is the largest record of each topic;
    without a `delivery` (dry run) nothing is sent. `on_refused` gets each refused row with its error, `on_row` the
    counts after each row. An error of the source ends the loop and is stored in the result.
    """
    account = Account()
    pace = _Pace(rate, clock)
    selected = itertools.islice(rows, skip, None if limit is None else skip + limit)
    for row in _until_error(selected, account):
        pace.wait(stop)
        if stop():
            break
        error = row.error or _too_large(row, max_bytes)
        if error is None and delivery is not None and not delivery.send(row):
            break
        account.rows += 1
        if error is not None:
            account.refused += 1
            if delivery is not None:
                delivery.refused()
            on_refused(row, error)
        else:
            account.accepted[row.channel] += 1
        account.last = (row.source, row.line)
        if on_row is not None:
            on_row(account)
    return account


def make_producer(settings: KafkaSettings, max_request_bytes: int) -> "Producer":
    """Create an idempotent Kafka producer whose records must be acknowledged by all in-sync replicas.

    A record that is not acknowledged within two request timeouts fails. The producer compresses with gzip, which every
    consumer can unpack. Raises KafkaError if no broker answers.
    """
    from kafka import KafkaProducer

    from triage.topics.kafka_compat import closing_on_failure

    with closing_on_failure() as client:
        producer: Producer = KafkaProducer(
            **settings.client(),
            kafka_client=client,
            client_id="triage-ingest",
            acks="all",
            enable_idempotence=True,
            compression_type="gzip",
            linger_ms=20,
            batch_size=256 * 1024,
            max_in_flight_requests_per_connection=5,
            max_request_size=max_request_bytes,
            allow_auto_create_topics=False,
            request_timeout_ms=settings.request_timeout_ms,
            max_block_ms=settings.request_timeout_ms,
            delivery_timeout_ms=delivery_timeout_ms(settings),
            bootstrap_timeout_ms=settings.request_timeout_ms,
        )
    return producer


def delivery_timeout_ms(settings: KafkaSettings) -> int:
    """Return the longest time, in ms, to wait for the acknowledgement of a record: two request timeouts.

    That is long enough for the restart of a broker.
    """
    return 2 * settings.request_timeout_ms


def _until_error(rows: Iterator[Row], account: Account) -> Iterator[Row]:
    try:
        yield from rows
    except TriageError as error:
        account.error = error


class _Pace:
    """Spreads rows evenly over time, `rate` rows a second at most (None: without a limit).

    Time lost to a stall is not caught up, because the receiver can take no more than `rate`.
    """

    def __init__(self, rate: float | None, clock: Clock) -> None:
        self._step = 0.0 if rate is None else 1 / rate
        self._clock = clock
        self._due = clock.monotonic()

    def wait(self, stop: Callable[[], bool]) -> None:
        if not self._step:
            return
        while (ahead := self._due - self._clock.monotonic()) > 0 and not stop():
            self._clock.sleep(min(ahead, _PAUSE_S))
        self._due = max(self._due + self._step, self._clock.monotonic() - _PAUSE_S)


def _too_large(row: Row, max_bytes: Mapping[Channel, int] | None) -> InvalidRecord | None:
    if max_bytes is None or len(row.payload) <= (most := max_bytes[row.channel] - _OVERHEAD_BYTES):
        return None
    return InvalidRecord("too_large", f"the record has {len(row.payload)} bytes; its topic takes at most {most}")
