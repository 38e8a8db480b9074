"""Sends the sample feed according to its simulated schedule."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kafka import KafkaProducer

from triage.clock import Clock
from triage.config import KafkaSettings
from triage.local.feed import FeedItem
from triage.types import Channel

_TICK_S = 0.02


@dataclass
class Replay:
    """A thread that sends each item to its topic when the clock reaches the item's time.

    `total` is the number of items, `origin_ms` the simulated start in ms since the epoch, `sent` the number of records
    sent so far. An exception ends the thread and is stored in `error`, which the main thread checks.
    """

    kafka: KafkaSettings
    topics: Mapping[Channel, str]
    items: Iterable[FeedItem]
    total: int
    origin_ms: int
    clock: Clock
    sent: int = 0
    done: bool = False
    error: Exception | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            producer = KafkaProducer(**self.kafka.client(), client_id="triage-demo-feed", acks="all", linger_ms=10)
            try:
                self._send_all(producer)
            finally:
                producer.close(timeout=10)
        except Exception as error:  # noqa: BLE001 - passed to the main thread, which ends the demo
            self.error = error

    def _send_all(self, producer: KafkaProducer) -> None:
        futures = []
        for item in self.items:
            while self.clock.now_ms() < self.origin_ms + item.at_ms:
                if self._stop.wait(_TICK_S):
                    return
            futures.append(producer.send(self.topics[item.channel], value=item.payload, key=item.key))
            self.sent += 1
        for future in futures:
            future.get(timeout=30)
        self.done = True
