"""Sends rows to Kafka, limits the number of unacknowledged ones, and finds the row to resume from."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Protocol

from triage.clock import Clock
from triage.errors import TriageError, Unavailable
from triage.logging import get_logger
from triage.schemas.enriched import record_key
from triage.sources.rows import Row
from triage.topics.kafka_types import RecordFuture
from triage.types import Channel

log = get_logger("triage.ingest")

_WAIT_S = 0.2
_WARN_AFTER_S = 5.0


class Producer(Protocol):
    """The methods of a Kafka producer that Delivery uses."""

    def send(self, topic: str, value: bytes, key: bytes | None = None) -> RecordFuture: ...

    def flush(self, timeout: float) -> None: ...


class Place(NamedTuple):
    """The place of a row in the input: the number of rows before it, its file and the line that it starts on."""

    rows_before: int
    source: str
    line: int


class Delivery:
    """Sends rows and counts their acknowledgements.

    At most `max_records` and `max_bytes` are unacknowledged at any time: `send` waits. After the first failure no more
    rows are accepted; rows after the failed one may have arrived, and a run that starts at `resume` sends them again.
    `translate` converts the producer's errors to TriageError; `stop` ends a wait early; `rows_before` is the number of
    rows that were skipped.
    """

    def __init__(
        self,
        producer: Producer,
        topics: dict[Channel, str],
        *,
        translate: Callable[[BaseException], TriageError],
        clock: Clock,
        stop: Callable[[], bool] = lambda: False,
        rows_before: int = 0,
        max_records: int = 10_000,
        max_bytes: int = 32 * 1024 * 1024,
    ) -> None:
        self._producer = producer
        self._topics = topics
        self._translate = translate
        self._clock = clock
        self._stop = stop
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._rows = rows_before
        self._open: dict[int, Place] = {}
        self._bytes = 0
        self._waiting = 0
        self._failure: TriageError | None = None
        self.acknowledged: Counter[Channel] = Counter()

    @property
    def failure(self) -> TriageError | None:
        """The error that ended the delivery of rows; None if there was none."""
        return self._failure

    @property
    def resume(self) -> Place | None:
        """The first row that is not acknowledged; None if all rows are."""
        with self._changed:
            return next(iter(self._open.values()), None)

    def refused(self) -> None:
        """Count an invalid row, which is not sent."""
        self._rows += 1

    def send(self, row: Row) -> bool:
        """Send a valid row; waits while too many are unacknowledged.

        Returns False if the row was not accepted, because delivery failed or `stop` returned True.
        """
        place = Place(self._rows, row.source, row.line)
        size = len(row.payload)
        if not self._room(size):
            return False
        self._rows += 1
        with self._changed:
            self._open[place.rows_before] = place
            self._waiting += 1
            self._bytes += size
        try:
            key = record_key(row.channel, row.record.source, row.record.id) if row.record else None
            future = self._producer.send(self._topics[row.channel], value=row.payload, key=key)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the row was not sent
            self._failed(size, error)
            return False
        future.add_callback(partial(self._done, place, size, row.channel))
        future.add_errback(partial(self._failed, size))
        return True

    def finish(self, timeout_s: float) -> None:
        """Wait up to `timeout_s` until every row is acknowledged or has failed; after that, `failure` is final."""
        try:
            self._producer.flush(timeout_s)
        except Exception as error:  # noqa: BLE001 - kept as the failure
            with self._changed:
                self._failure = self._failure or self._translate(error)
        with self._changed:
            if self._waiting and self._failure is None:
                self._failure = Unavailable("kafka", f"{self._waiting} records were not acknowledged")

    def _room(self, size: int) -> bool:
        """Wait until a record of `size` bytes may be sent. Returns False if delivery has ended."""
        with self._changed:
            if self._fits(size, 1) or self._failure is not None:
                return self._failure is None and not self._stop()
            # To continue at the first acknowledgement would switch threads for every record.
            since = warned = self._clock.monotonic()
            seen = self.acknowledged.total()
            while not self._fits(size, 2):
                if self._failure is not None or self._stop():
                    return False
                self._changed.wait(_WAIT_S)
                now = self._clock.monotonic()
                if self.acknowledged.total() != seen:
                    seen, since = self.acknowledged.total(), now
                elif now - max(since, warned) >= _WARN_AFTER_S:
                    warned = now
                    log.warning("waiting_for_kafka", unacknowledged=self._waiting, for_s=round(now - since, 1))
        return self._failure is None

    def _fits(self, size: int, part: int) -> bool:
        """Return True if a record of `size` bytes fits into 1/`part` of the limits, or nothing is unacknowledged.

        So a record that is larger than the limit is sent alone.
        """
        within = self._waiting < max(1, self._max_records // part) and self._bytes + size <= self._max_bytes // part
        return within or not self._waiting

    def _done(self, place: Place, size: int, channel: Channel, metadata: object) -> None:
        del metadata
        with self._changed:
            del self._open[place.rows_before]
            self._bytes -= size
            self._waiting -= 1
            self.acknowledged[channel] += 1
            if self._fits(0, 2):
                self._changed.notify_all()

    def _failed(self, size: int, error: BaseException) -> None:
        with self._changed:
            self._bytes -= size
            self._waiting -= 1
            self._failure = self._failure or self._translate(error)
            self._changed.notify_all()
