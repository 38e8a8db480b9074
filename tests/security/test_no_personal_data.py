"""Seeded personal data goes through the whole system; then every place but the raw topics is searched for it."""

import json
import os
import subprocess
import sys

import httpx
import pytest
import yaml
from alerter_rig import Receiver
from harness import Fleet, wait_for
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from triage.clock import SystemClock
from triage.elastic.client import connect
from triage.local.stack import free_port

pytestmark = [pytest.mark.stack, pytest.mark.slow]

SEEDS = {
    "email": "zoe.quist@mailhost.example",
    "phone": "+1 415 555 2671",
    "mobile": "13812345678",
    "card": "4111 1111 1111 1111",
    "iban": "GB82 WEST 1234 5698 7654 32",
    "resident": "11010519491231002X",
    "ssn": "SSN 219-09-9999",
    "ip": "203.0.113.77",
    "handle": "@zoe_quist_77",
    "wechat": "微信号: zoequist1987",
    "reset": "https://shop.example/reset?token=SEEDTOKEN4711",
    "author": "cust-88776655",
}
# What must be found nowhere: each value, and its telling part without spaces.
NEEDLES = {
    "zoe.quist@mailhost.example", "415 555 2671", "4155552671", "13812345678", "4111 1111 1111 1111",
    "4111111111111111",
    "GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432", "11010519491231002X", "219-09-9999", "203.0.113.77",
    "zoe_quist_77", "zoequist1987", "SEEDTOKEN4711", "cust-88776655",
}  # fmt: skip
COMPLAINT = "My parcel never arrived and nobody answers, terrible service. Reach me: "
# It goes on firing, so that there is time to look at it.
STATIC = {"window_s": 20, "static": {"share_at_least": 0.1, "count_at_least": 2}, "resolve_after": 60}
RULES = {
    "version": 1,
    "rules": [{"name": "any", "dimension": [], **STATIC}, {"name": "brand", "dimension": ["brand"], **STATIC}],
}


def _records():
    """(payload, headers): each seed in every field that a source can fill, in good records and in bad ones."""
    for kind, value in SEEDS.items():
        text = COMPLAINT + value
        person = {"author_id": SEEDS["author"], "source": "shop"}
        fields = {"brand": "Acme", "product": f"lamp {value}", "region": value, "url": f"https://shop.example/{value}"}
        attributes = {"note": value, value: "as a key", "customer": {"id": SEEDS["author"], "email": SEEDS["email"]}}
        yield {"id": f"a-{kind}", "text": text, **person, **fields, "attributes": attributes}, []
        yield {"text": text, **person, "brand": "Acme", "language": value, "unknown": {"deep": [value]}}, []
        if kind != "author":
            # An id of the source's own making is known by the record's field author_id alone.
            yield {"id": f"b-{kind}", "text": text, "brand": value, "source": value}, [("x-user", value.encode())]
        yield {"text": text, **person, "created_at": value}, [("x-user", value.encode()), (value, b"1")]
        yield {"text": "", **person, "note": text}, []
        yield {"text": text, **person, "rating": value}, []
        yield f'{{"text": "{text}", "author_id": "{SEEDS["author"]}", "email": "{SEEDS["email"]}", broken'.encode(), []
        yield text.encode() + b"\xff\xfe", []


def _start(fleet, command, tmp_path):
    environment = {f"TRIAGE_{name.upper().replace('.', '__')}": str(value) for name, value in fleet.flags.items()}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    log = (tmp_path / f"{command}.log").open("wb")
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", command], env={**clean, **environment},
        stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip
    log.close()
    return process


@pytest.fixture
def system(stack, prefix, tmp_path):
    """Worker, alerter and console, with a receiver of pages."""
    receiver = Receiver()
    rules = tmp_path / "alert-rules.yaml"
    rules.write_text(yaml.safe_dump(RULES))
    ports = {name: free_port() for name in ("worker", "alerter", "console")}
    fleet = Fleet(
        stack, prefix, tmp_path,
        **{
            "redaction.author_key": "a secret of this test",
            "worker.health_port": ports["worker"],
            "alerting.health_port": ports["alerter"],
            "console.port": ports["console"],
            "alerting.rules": rules,
            "alerting.data_dir": tmp_path / "alerter",
            "alerting.window_s": 10,
            "alerting.allowed_lateness_s": 0,
            "alerting.group_wait_s": 0,
            "alerting.webhook_url": receiver.url,
            "logging.level": "DEBUG",
        },
    ).prepare()  # fmt: skip
    processes = [_start(fleet, command, tmp_path) for command in ("alerter", "console")]
    fleet.start_worker("a")
    yield fleet, receiver, ports
    fleet.stop()
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    receiver.close()


def test_nothing_personal_is_found_anywhere_but_in_the_raw_topics(system, tmp_path):
    fleet, receiver, ports = system
    sent = _send(fleet)
    fleet.wait_drained(240)
    wait_for(lambda: receiver.pages, 240, f"a page\n{fleet.logs()}")
    with connect(fleet.settings.elasticsearch) as client:
        index = fleet.settings.elasticsearch.alerts_index
        alerts = wait_for(lambda: _stored(client, index), 60, "a stored alert")
        places = _documents(client, fleet)
    places |= _topics(fleet)
    assert any(name.endswith(".dead-letter") for name, _ in places)
    places |= {("page", json.dumps(page)) for page in receiver.pages}
    console = f"http://127.0.0.1:{ports['console']}"
    with httpx.Client(timeout=60, transport=httpx.HTTPTransport(retries=20)) as client:
        wait_for(lambda: client.get(f"{console}/ready").status_code == 200, 120, "the console")
        for path in ("", "explore?range=all", "explore.csv?range=all", "review?range=all", "alerts", "fleet"):
            shown = client.get(f"{console}/{path}")
            assert shown.status_code == 200
            places.add((f"console /{path}", shown.text))
        for alert in alerts:
            shown = client.get(f"{console}/alerts/{alert}")
            assert shown.status_code == 200
            places.add(("alert page", shown.text))
        for name, port in ports.items():
            places.add((f"metrics of {name}", client.get(f"http://127.0.0.1:{port}/metrics").text))
    places |= {(path.name, path.read_text("utf-8", "replace")) for path in tmp_path.rglob("*.log")}
    places |= {(path.name, path.read_text("utf-8", "replace")) for path in tmp_path.rglob("*.journal")}

    assert sent["good"] == len([1 for name, _ in places if name.startswith("index")])
    found = [(where, needle, _around(text, needle)) for where, text in places for needle in NEEDLES if needle in text]
    assert found == []


def _send(fleet):
    producer = KafkaProducer(bootstrap_servers=fleet.settings.kafka.bootstrap_servers)
    now = SystemClock().now_ms()
    good = 0
    for number, (record, headers) in enumerate(_records()):
        value = record
        if isinstance(record, dict):
            numeric = str(record.get("rating", "0")).isdigit()
            if record["text"] and "created_at" not in record and numeric:
                record["created_at"] = now
                good += 1
            value = json.dumps(record, ensure_ascii=bool(number % 2)).encode()
        producer.send(fleet.settings.kafka.topic("complaints"), value=value, headers=headers)
    producer.flush()
    producer.close()
    return {"good": good}


def _stored(client, index):
    client.indices.refresh(index=index)
    hits = client.search(index=index, size=50)["hits"]["hits"]
    return [hit["_id"] for hit in hits]


def _documents(client, fleet):
    client.indices.refresh(index=fleet.prefix)
    places = set()
    for index in (fleet.prefix, fleet.settings.elasticsearch.alerts_index):
        hits = client.search(index=index, size=1000)["hits"]["hits"]
        name = "index" if index == fleet.prefix else "alerts"
        places |= {(f"{name} {hit['_id']}", json.dumps(hit["_source"], ensure_ascii=False)) for hit in hits}
    return places


def _topics(fleet):
    """Every message of every topic of ours but the raw ones, the alerter's own state included."""
    consumer = KafkaConsumer(
        bootstrap_servers=fleet.settings.kafka.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    raw = {fleet.settings.kafka.topic(name) for name in ("complaints", "reviews", "social")}
    try:
        topics = [name for name in consumer.topics() if name.startswith(fleet.prefix) and name not in raw]
        partitions = [TopicPartition(t, p) for t in topics for p in consumer.partitions_for_topic(t) or ()]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        places = set()
        for _ in range(600):
            for partition, records in consumer.poll(timeout_ms=200).items():
                for record in records:
                    text = b" ".join([record.key or b"", record.value or b"", str(record.headers).encode()])
                    places.add((partition.topic, _unescaped(text.decode("utf-8", "replace"))))
            if all(consumer.position(each) >= ends[each] for each in partitions):
                break
        assert len(topics) >= 6
        return places
    finally:
        consumer.close(autocommit=False)


def _unescaped(text):
    return text.replace("\\/", "/").replace("\\u0040", "@")


def _around(text, needle):
    at = text.index(needle)
    return text[max(0, at - 80) : at + 80]
