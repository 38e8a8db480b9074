"""Faust on our terms: a table written by partition, security as in the settings."""

import ssl
from typing import Any

import faust
from faust.types.tuples import FutureMessage

from triage.config import KafkaSettings

SEPARATOR = "/"


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
