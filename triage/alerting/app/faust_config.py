"""Builds the Faust application and its credentials from the settings."""

import ssl

import faust
from faust.auth import OAuthCredentials

from triage.alerting.app.compat import PartitionTable, ReadCommittedTransport
from triage.config import KafkaSettings, Settings


def faust_app(settings: Settings, partitions: int, replicas: int, client_id: str | None = None) -> faust.App:
    """Create a Faust app with in-memory tables for the alerter.

    `partitions` and `replicas` apply to the topics that Faust creates for itself, the changelogs; `triage topics apply`
    creates all others. `client_id` defaults to the consumer group plus the instance's name.
    """
    kafka, alerting = settings.kafka, settings.alerting
    name = kafka.topic(alerting.group)
    alerting.data_dir.mkdir(parents=True, exist_ok=True)
    brokers = [f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")]
    app = faust.App(
        name,
        broker=";".join(brokers),
        broker_credentials=credentials(kafka),
        broker_client_id=client_id or f"{name}-{alerting.instance}",
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


def credentials(settings: KafkaSettings) -> faust.auth.Credentials | None:
    """Convert Kafka's TLS and SASL settings to Faust credentials; None for `PLAINTEXT`."""
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
