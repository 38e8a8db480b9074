"""Reads a topic from its start and then follows it, for state that is kept in memory."""

import threading
import time
from collections.abc import Callable

from triage.config import KafkaSettings
from triage.errors import TriageError, Unavailable
from triage.logging import get_logger
from triage.topics.kafka_types import ConsumerRecord
from triage.topics.noida_compat import EMPTY_POLL_PAUSE_S
from triage.topics.scan import TopicScan
from triage.topics.unreadable import UnreadableBatch

log = get_logger("triage.kafka")

_RETRY_INTERVAL_S = 2.0
_CHECK_INTERVAL_S = 0.05
_STOP_TIMEOUT_S = 3.0
_FOLLOWING_PAUSE_S = 0.25


class TopicFollower:
    """A thread that reads one topic from its start and passes its committed records to `take`, until stopped.

    Records arrive in order within each partition; reading is retried while Kafka is unavailable. `take(records)` is
    called on that thread, and `restart()` each time before the topic is read from the start. If one of them raises, the
    exception is logged and the topic is read from the start. `caught_up` is set once all records that existed at the
    start were taken. `unreadable` is called with each batch that can't be read, which is then left out; without it the
    thread stays before the first such batch.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        topic: str,
        take: Callable[[list[ConsumerRecord]], None],
        restart: Callable[[], None] = lambda: None,
        unreadable: Callable[[UnreadableBatch], None] | None = None,
    ) -> None:
        self._kafka = kafka
        self._short = topic
        self._topic = kafka.topic(topic)
        self._take = take
        self._restart = restart
        self._unreadable = unreadable
        self._name = f"triage-{topic}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        # The error of the last attempt; None while the topic can be read.
        self._error: TriageError | None = None
        self.caught_up = threading.Event()

    @property
    def started(self) -> bool:
        return self._thread.ident is not None

    @property
    def error(self) -> TriageError | None:
        """The error of the last attempt to read the topic; None while it can be read."""
        return self._error

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_TIMEOUT_S)

    def start_and_wait(self, timeout_s: float) -> None:
        """Start the thread, and return once it has read all records that existed at the start.

        Raises Unavailable after `timeout_s` seconds, AccessDenied or ConfigError at once; in all cases the thread is
        stopped.
        """
        self.start()
        try:
            self._wait(timeout_s)
        except TriageError:
            self.stop()
            raise

    def check(self) -> None:
        """Raise the error of the last attempt to read, if waiting cannot resolve it: AccessDenied or ConfigError."""
        if (error := self._error) is not None and not error.retriable:
            raise error

    def _wait(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while not self.caught_up.wait(_CHECK_INTERVAL_S):
            self.check()
            if time.monotonic() >= until:
                why = f": {self._error}" if self._error is not None else ""
                raise Unavailable("kafka", f"{self._topic} could not be read within {timeout_s:g} s{why}")

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with TopicScan(self._kafka, self._name, timeout_s=0, unreadable=self._unreadable) as scan:
                    self._follow(scan)
            except TriageError as error:
                if self._error is None:
                    log.warning("topic_not_readable", topic=self._topic, error=str(error))
                self._error = error
            except Exception as error:
                # Otherwise the state would be out of date from now on, without a sign of it.
                log.exception("topic_reader_failed", topic=self._topic)
                self._error = Unavailable("triage", repr(error))
            self._stop.wait(_RETRY_INTERVAL_S)

    def _follow(self, scan: TopicScan) -> None:
        partitions = scan.existing_partitions(self._short)
        ranges = scan.ranges(partitions)
        ends = {each: end for each, (_, end) in ranges.items()}
        self._restart()
        pause_s = EMPTY_POLL_PAUSE_S
        for records in scan.follow({each: start for each, (start, _) in ranges.items()}):
            if self._stop.is_set() or scan.partitions([self._topic]) != partitions:
                return
            if records:
                self._take(records)
                continue
            if pause_s == EMPTY_POLL_PAUSE_S and scan.reached(ends):
                self._set_caught_up()
                pause_s = _FOLLOWING_PAUSE_S
            self._stop.wait(pause_s)

    def _set_caught_up(self) -> None:
        """Set `caught_up` and clear the error of the last attempt.

        This is not done earlier because offsets can be asked for without the right to read.
        """
        if self._error is not None:
            log.info("topic_readable_again", topic=self._topic)
        self._error = None
        self.caught_up.set()
