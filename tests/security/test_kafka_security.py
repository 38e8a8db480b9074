"""A real Kafka that demands TLS and SASL: workers' and commands' clients, and the alerter's, get in by the settings."""

import asyncio
import json
import time

import pytest
from aiokafka import AIOKafkaProducer
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from secured import CLIENT_SECRET, PASSWORD

from triage.alerting.app.faust_config import credentials
from triage.clock import SystemClock
from triage.config import KafkaSettings, WorkerSettings
from triage.errors import AccessDenied, ConfigError, TriageError
from triage.pipeline.kafka.member_identity import MemberIdentity
from triage.pipeline.kafka.source import KafkaSource
from triage.pipeline.source import Message
from triage.topics import apply_topics, wait_for_kafka
from triage.topics.open_transactions import wait_for_open_transactions
from triage.topics.scan import TopicScan

pytestmark = [
    pytest.mark.real,
    # kafka-python 3.0 leaves the socket of a failed handshake to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")


@pytest.fixture
def settings(secured_kafka, authority, token_endpoint):
    def make(mechanism, **changes):
        fields = {
            "bootstrap_servers": f"127.0.0.1:{secured_kafka['SASL_SSL']}",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": mechanism,
            "ssl_cafile": authority / "ca.pem",
            "start_timeout_s": 15,
            "topic_prefix": "secured",
        }
        if mechanism == "OAUTHBEARER":
            fields |= {
                "oauth_token_url": token_endpoint[0],
                "oauth_client_id": "triage",
                "oauth_client_secret": CLIENT_SECRET,
            }
        elif mechanism:
            fields |= {"sasl_username": "triage", "sasl_password": PASSWORD}
        return KafkaSettings(**(fields | changes))

    return make


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_topics_a_transaction_and_a_scan_by_each_mechanism(settings, mechanism):
    kafka = settings(mechanism, topic_prefix=mechanism.lower())
    apply_topics(kafka)
    source = KafkaSource(
        kafka,
        WorkerSettings(group=mechanism, slot="a"),
        [kafka.topic("complaints")],
        MemberIdentity(f"w-{mechanism}", SystemClock()),
    )
    try:
        deadline = time.monotonic() + 60
        while not source.partitions() and time.monotonic() < deadline:
            source.poll(100, 10)
        assert source.partitions()
        source.commit([Message(kafka.topic("enriched"), b"k", b"v")], {})
    finally:
        source.close()
    with TopicScan(kafka, "test") as scan:
        partitions = scan.partitions([kafka.topic("enriched")])
        # The commit was answered before its marker was written.
        wait_for_open_transactions(scan, kafka, partitions, 30)
        polls = list(scan.read(scan.ranges(partitions)))
        assert [record.value for poll in polls for record in poll] == [b"v"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_alerters_client_too(settings, mechanism):
    kafka = settings(mechanism)
    apply_topics(settings("PLAIN"))

    async def produce():
        producer = AIOKafkaProducer(
            bootstrap_servers=kafka.bootstrap_servers, **credentials_to_aiokafka_auth(credentials(kafka))
        )
        await producer.start()
        try:
            return await producer.send_and_wait(kafka.topic("alerts"), json.dumps({}).encode(), key=b"k")
        finally:
            await producer.stop()

    assert asyncio.run(produce()).topic == kafka.topic("alerts")


@pytest.mark.parametrize(
    ("mechanism", "wrong"),
    [
        *((mechanism, {"sasl_password": "guessed"}) for mechanism in MECHANISMS[:3]),
        ("OAUTHBEARER", {"oauth_client_secret": "guessed"}),
    ],
)
def test_wrong_credentials_are_denied_at_once(settings, mechanism, wrong):
    started = time.monotonic()
    with pytest.raises(AccessDenied) as caught:
        wait_for_kafka(settings(mechanism, start_timeout_s=240, **wrong))
    assert time.monotonic() - started < 120
    assert "guessed" not in str(caught.value)
    assert "kafka.oauth_client_id" in str(caught.value) or "kafka.sasl_mechanism" in str(caught.value)


def test_an_unknown_authority_is_said(settings, authority):
    with pytest.raises(ConfigError, match=r"check kafka\.ssl_cafile"):
        wait_for_kafka(settings("PLAIN", ssl_cafile=authority / "other-ca.pem"))


def test_a_client_certificate_where_the_listener_wants_one(settings, secured_kafka, authority):
    address = f"127.0.0.1:{secured_kafka['SSL']}"
    common = {"security_protocol": "SSL", "sasl_mechanism": None, "bootstrap_servers": address}
    client = {"ssl_certfile": authority / "client-cert.pem", "ssl_keyfile": authority / "client-locked-key.pem"}
    wait_for_kafka(settings(None, **common, **client, ssl_password="lock", start_timeout_s=60))
    with pytest.raises(TriageError):
        wait_for_kafka(settings(None, **common, start_timeout_s=4))
