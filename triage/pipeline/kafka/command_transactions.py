"""Kafka transactions for commands such as a replay, separate from those of the workers.

Each ends in bounded time, and a producer that has become unusable is replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kafka.errors import IllegalStateError, KafkaError

from triage.clock import Clock, SystemClock
from triage.config import Settings
from triage.errors import DependencyError, Fenced, TriageError, Unavailable
from triage.pipeline.kafka.producer import transactional
from triage.retries.until_available import until_available
from triage.topics import translate, wait_for_kafka
from triage.topics.kafka_compat import FENCED, BoundedProducer
from triage.topics.kafka_types import TransactionalProducer

_CLOSE_S = 5.0


class Transactions:
    """Runs one transaction at a time for a command, under the transactional id `<worker.fleet>-<name>`.

    Of two processes with the same id, the later fences the earlier: the constructor thereby ends an earlier run.
    `command` is the command line that error messages name. The constructor raises Unavailable if Kafka does not
    answer, AccessDenied without a permission, ConfigError for wrong settings, and DependencyError for another
    refusal.
    """

    def __init__(
        self,
        settings: Settings,
        name: str,
        command: str,
        *,
        clock: Clock | None = None,
        make: Callable[..., TransactionalProducer] = BoundedProducer,
    ) -> None:
        self._settings = settings
        # The broker's timeouts are in real seconds, also where the rest runs on simulated time.
        self._clock = clock or SystemClock()
        self._id = f"{settings.worker.fleet}-{name}"
        self._command = command
        self._make = make
        self._producer: TransactionalProducer | None = None
        until_available(self._connect, self._clock, settings.kafka.start_timeout_s)

    @contextmanager
    def begin(self) -> Iterator[TransactionalProducer]:
        """Context manager that begins a transaction, yields its producer, and commits at the end of the block.

        Raises Unavailable if the transaction was aborted, or if its outcome is unknown: the next one begins only after
        this one has ended. Raises DependencyError if another process has taken over the transactional id. Any other
        error of the block aborts the transaction and is raised.
        """
        producer = self._ready()
        started = self._clock.monotonic()
        try:
            producer.begin_transaction()
            yield producer
            producer.commit_transaction()
        except Fenced as error:
            self.close()
            raise Unavailable("kafka", f"{self._command}: {error}; repeating it is safe") from error
        except KafkaError as error:
            raise self._failed(producer, error, self._clock.monotonic() - started) from error
        except BaseException:
            # While it is open, no reader sees what comes after it; the broker would end it much later.
            if not _aborted(producer):
                self.close()
            raise

    def close(self) -> None:
        if self._producer is not None:
            self._producer.end(_CLOSE_S)
            self._producer = None

    def _failed(self, producer: TransactionalProducer, error: KafkaError, lasted_s: float) -> TriageError:
        if isinstance(error, FENCED) or producer.fenced:
            self.close()
            timeout_ms = self._settings.worker.transaction_timeout_ms
            if lasted_s * 1000 < timeout_ms:
                return DependencyError("kafka", f"another `{self._command}` took over; run one at a time")
            # The broker ends a transaction that takes too long, and fences its producer by that.
            return Unavailable(
                "kafka",
                f"{self._command}: a transaction took {lasted_s:.1f} s, worker.transaction_timeout_ms is {timeout_ms}",
            )
        if isinstance(error, IllegalStateError) or not _aborted(producer):
            # A fatal state of kafka-python's producer never ends: each further transaction would fail at once.
            self.close()
        return translate(error, doing=self._command)

    def _connect(self, left_s: float) -> None:
        wait_for_kafka(self._settings.kafka, timeout_s=left_s)
        self._ready()

    def _ready(self) -> TransactionalProducer:
        if self._producer is not None:
            return self._producer
        kafka = self._settings.kafka
        try:
            producer = self._make(**transactional(kafka, self._settings.worker, self._id))
            try:
                producer.init_transactions()
            except BaseException:
                producer.end(_CLOSE_S)
                raise
        except KafkaError as error:
            raise translate(error, doing=f"starting {self._command}") from error
        self._producer = producer
        return producer


def _aborted(producer: TransactionalProducer) -> bool:
    try:
        producer.abort_transaction()
    except (KafkaError, Fenced):
        return False
    return True
