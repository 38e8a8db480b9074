"""Generates records with known ids at a steady rate, a hundredth of them invalid, and spikes that must page.

Some ids are sent in several versions, keyed as by every producer of triage.
"""

import json
import random
import threading
import time

from harness import RAW, Fleet
from kafka import KafkaProducer
from kafka.errors import KafkaError

from triage.schemas.enriched import record_key
from triage.topics.kafka_types import Producer
from triage.types import Channel

TEXTS = (
    "My parcel never arrived and nobody answers, terrible service. Mail me at jane.doe{n}@example.com",
    "I love this Acme lamp, works great and looks lovely",
    "快递三天了还没到，太失望了",
    "Where can I find the manual of this device? Call me on +1 415 555 2671",
)
INVALID = (b"not json", b'{"id": "no text"}', b'{"text": "   "}', b"\xff\xfe\x00", b"[1, 2]", b'{"text": 7}')
SPIKE = 60
VERSIONED_IDS, VERSIONS, VERSIONED_AT_ONCE = 300, 5, 10
VERSIONED = "rv"


class Feeder(threading.Thread):
    """Sends `rate` records a second until `finish`, but at least `minimum`.

    The auditor reads the raw topics for what really arrived: a producer that has to repeat a send can't know.
    """

    def __init__(self, fleet: Fleet, rate: int, minimum: int, rng: random.Random) -> None:
        super().__init__(name="feeder", daemon=True)
        self.rate = rate
        self.sent = 0
        self.spikes: list[str] = []
        self.errors: list[BaseException] = []
        self._minimum = minimum
        # A fifth of a short run at most.
        self._versioned_ids = min(VERSIONED_IDS, minimum // 25 // VERSIONED_AT_ONCE * VERSIONED_AT_ONCE)
        # Of one event time, so that all versions of an id are in one index.
        self._at_ms = int(time.time() * 1000)
        self._rng = rng
        self._topics = [fleet.settings.kafka.topic(name) for name in RAW]
        self._servers = fleet.settings.kafka.bootstrap_servers
        self._versioned = 0
        self._finish = threading.Event()
        self._spike = threading.Event()

    def finish(self) -> None:
        """Stop after the minimum; returns when everything is acknowledged."""
        self._finish.set()
        if self.ident:
            self.join()

    def spike(self) -> None:
        """Send a burst of one brand's negative records next."""
        self._spike.set()

    def run(self) -> None:
        producer: Producer = KafkaProducer(
            bootstrap_servers=self._servers, linger_ms=20, acks="all", max_block_ms=180_000, delivery_timeout_ms=180_000
        )
        started, minimum = time.monotonic(), self._minimum
        while not self._finish.is_set() or self.sent < minimum:
            due = int((time.monotonic() - started) * self.rate)
            # After an outage the backlog is sent at double rate, as by a source that kept it.
            for _ in range(min(due - self.sent, self.rate // 25)):
                self._send(producer, self._payload())
            if self._versioned < self._versioned_ids and self.sent * self._versioned_ids >= self._versioned * minimum:
                self._send_versions(producer)
            if self._spike.is_set():
                self._spike.clear()
                self.spikes.append(f"Spike-{len(self.spikes)}")
                for _ in range(SPIKE):
                    self._send(producer, self._valid("It never arrived, terrible", self.spikes[-1]))
            time.sleep(0.02)
        try:
            producer.flush(timeout=60)
            producer.close(timeout=5)
        except KafkaError as error:
            # What a stuck producer could not send does not count; the raw topics show what arrived.
            self.errors.append(error)

    def _send_versions(self, producer: Producer) -> None:
        """All versions of the next few ids at once: by turns each id's together, and each version's."""
        ids = range(self._versioned, self._versioned + VERSIONED_AT_ONCE)
        self._versioned += VERSIONED_AT_ONCE
        rows = [(n, version) for n in ids for version in range(VERSIONS)]
        if self._versioned // VERSIONED_AT_ONCE % 2:
            rows.sort(key=lambda row: row[1])
        for n, version in rows:
            place, name = n % len(self._topics), f"{VERSIONED}{n}"
            record = {
                "id": name,
                "text": f"I love this Acme lamp v{version}",
                "source": "faults",
                "created_at": self._at_ms,
            }
            key = record_key(list(Channel)[place], "faults", name)
            self._send(producer, json.dumps(record).encode(), self._topics[place], key)

    def _send(self, producer: Producer, payload: bytes, topic: str | None = None, key: bytes | None = None) -> None:
        topic = topic or self._topics[self.sent % len(self._topics)]
        try:
            producer.send(topic, value=payload, key=key).add_errback(self.errors.append)
        except KafkaError as error:
            self.errors.append(error)
        self.sent += 1

    def _payload(self) -> bytes:
        if self._rng.random() < 0.01:
            return self._rng.choice(INVALID)
        return self._valid(self._rng.choice(TEXTS).format(n=self.sent), f"Acme-{self.sent % 5}")

    def _valid(self, text: str, brand: str) -> bytes:
        record = {"id": f"r{self.sent}", "text": text, "source": "faults", "brand": brand, "author_id": "author-7"}
        return json.dumps(record, ensure_ascii=False).encode()
