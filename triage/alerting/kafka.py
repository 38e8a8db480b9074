"""Faust on our terms: read committed without transactions, a table written by partition, security as in the settings.

Faust reads committed messages only with `processing_guarantee="exactly_once"`; that would put the state's changelog
into transactions that end every few seconds, and a page must not wait for one. Here a write is durable as soon as the
brokers acknowledge it, and repeats are merged idempotently. See docs/decisions/.
"""

import ssl
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types.tuples import FutureMessage

from triage.config import KafkaSettings
from triage.logging import get_logger

log = get_logger("triage.alerter")

SEPARATOR = "/"


class _Thread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        if not hasattr(consumer, "_isolation_level"):
            raise RuntimeError("this aiokafka keeps its isolation level elsewhere; pin aiokafka 0.14")
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - Faust passes no such setting on
        return consumer


class _Consumer(Consumer):
    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _wait_next_records(self, timeout: float) -> Any:  # noqa: ASYNC109 - Faust's signature
        """Give back what a fetch brings in the middle of a rebalance.

        Faust drops it and seeks to the committed offsets; a changelog has none, so its records would be lost and the
        recovery that waits for them would never end.
        """
        records, active = await super()._wait_next_records(timeout)
        if not records or self.flow_active:
            return records, active
        first = {tp: messages[0].offset for tp, messages in records.items() if messages}
        try:
            await self._thread.seek_wait({tp: first[tp] for tp in first.keys() & self.assignment()})
        except Exception as error:  # noqa: BLE001 - taken away meanwhile: the next recovery seeks for itself
            log.info("rewind_failed", error=repr(error))
        return None, active


class ReadCommittedTransport(Transport):
    """The Kafka transport of Faust whose consumer does not see aborted or open transactions."""

    Consumer = _Consumer


class PartitionTable(faust.Table):
    """A table whose keys name their partition, `3/...`: it can be written outside of a stream, as by a timer.

    `unacknowledged` collects the writes since it was last taken.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unacknowledged: list[FutureMessage] = []

    def on_key_set(self, key: str, value: Any) -> None:
        self.unacknowledged.append(self.send_changelog(partition_of(key), key, value))

    def on_key_del(self, key: str) -> None:
        self.unacknowledged.append(self.send_changelog(partition_of(key), key, value=None, value_serializer="raw"))

    def entries(self, partition: int) -> dict[str, Any]:
        """What the table holds of a partition, by the rest of the key."""
        start = f"{partition}{SEPARATOR}"
        return {key.removeprefix(start): value for key, value in self.data.items() if key.startswith(start)}

    def forget_others(self, partitions: set[int]) -> None:
        """Drop, here only, what belongs to partitions that others own now."""
        for key in [key for key in self.data if partition_of(key) not in partitions]:
            del self.data[key]


def partition_of(key: str) -> int:
    return int(key.partition(SEPARATOR)[0])


def credentials(settings: KafkaSettings) -> faust.auth.Credentials | None:
    """The settings' security as Faust wants it; None for plain text without a user."""
    if settings.security_protocol == "PLAINTEXT":
        return None
    context: ssl.SSLContext | None = None
    if settings.security_protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=settings.ssl_cafile)
        if settings.ssl_certfile:
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile)
    if settings.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    assert settings.sasl_password is not None
    return faust.SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password.get_secret_value(),
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )
