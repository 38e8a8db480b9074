"""Faust on our terms: a table written by partition, security as in the settings."""

import ssl
from typing import Any

import faust
from faust.auth import OAuthCredentials
from faust.types.tuples import FutureMessage

from triage.alerting.app.faust_consumer import ReadCommittedTransport
from triage.config import KafkaSettings, Settings

SEPARATOR = "/"


class PartitionTable(faust.Table[str, Any]):
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
        context.check_hostname = settings.ssl_check_hostname
        if settings.ssl_certfile:
            password = settings.ssl_password.get_secret_value() if settings.ssl_password else None
            context.load_cert_chain(settings.ssl_certfile, settings.ssl_keyfile, password)
    if settings.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    if settings.sasl_mechanism == "OAUTHBEARER":
        return OAuthCredentials(oauth_cb=settings.oauth().for_aiokafka(), ssl_context=context)
    assert settings.sasl_password is not None
    return faust.SASLCredentials(
        username=settings.sasl_username,
        password=settings.sasl_password.get_secret_value(),
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )


def faust_app(settings: Settings, partitions: int, replicas: int) -> faust.App:
    """Faust with our settings; topics that are not Faust's own are made by `triage topics apply`."""
    kafka, alerting = settings.kafka, settings.alerting
    name = kafka.topic(alerting.group)
    alerting.data_dir.mkdir(parents=True, exist_ok=True)
    brokers = [f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")]
    app = faust.App(
        name,
        broker=";".join(brokers),
        broker_credentials=credentials(kafka),
        broker_client_id=f"{name}-{alerting.instance}",
        broker_session_timeout=alerting.session_timeout_s,
        broker_heartbeat_interval=max(0.3, alerting.session_timeout_s / 4),
        broker_request_timeout=max(kafka.request_timeout_ms / 1000, alerting.session_timeout_s + 1),
        broker_commit_interval=1.0,
        consumer_group_instance_id=f"{name}-{alerting.instance}",
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        store="memory://",
        datadir=alerting.data_dir,
        Table=PartitionTable,
        table_standby_replicas=0,
        topic_partitions=partitions,
        topic_replication_factor=replicas,
        topic_disable_leader=True,
        reply_create_topic=False,
        web_enabled=False,
        canonical_url=f"http://{alerting.instance}.invalid",
        autodiscover=False,
        logging_config=None,
    )
    app.transport = ReadCommittedTransport(app.conf.broker_consumer, app)
    return app
