"""`triage tap`: what is shown of each topic, what passes the filters, and that it leaves nothing behind."""

import json
from types import SimpleNamespace

import msgspec
import pytest
from alerts import ALERT
from cli import run
from kafka import KafkaProducer
from records import AT_MS, enriched

from triage.cli.tap_filter import make_filter
from triage.cli.tap_records import TAPS, reader
from triage.config import RedactionSettings, load_settings
from triage.errors import ConfigError
from triage.redaction import Redactor
from triage.schemas.enriched import Entity
from triage.topics import admin_client, apply_topics
from triage.types import Channel

KAFKA = load_settings(None, {}).kafka


def tapped(name, value, topic=None):
    tap = TAPS[name]
    read = reader(tap, KAFKA, Redactor(RedactionSettings()) if tap.raw else None)
    raw = value if isinstance(value, bytes) or value is None else msgspec.json.encode(value)
    topic = topic or KAFKA.topic(tap.topics[0])
    (found,) = read(SimpleNamespace(topic=topic, partition=0, offset=7, timestamp=AT_MS, value=raw))
    return found


def passes(name, value, *, entity=(), text=None, **values):
    return make_filter(name, TAPS[name], values, entity, text)(tapped(name, value))


RECORD = enriched("Acme never sent it", entities=[Entity("Acme", "organization", 0, 4, 0.9, "model")])


@pytest.mark.parametrize(
    ("filters", "passed"),
    [
        ({}, True),
        ({"intent": ["billing", "delivery"], "sentiment": ["negative"]}, True),
        ({"intent": ["billing"]}, False),
        ({"severity": ["low"]}, False),
        ({"channel": ["complaint"], "text": "NEVER s"}, True),
        ({"text": "^never"}, False),
        ({"entity": ["acme"]}, True),
        ({"entity": ["organization=Ac"]}, True),
        ({"entity": ["organization="]}, True),
        ({"entity": ["person=Acme"]}, False),
        ({"entity": ["nobody", "acme"]}, True),
    ],
)
def test_filters_of_enriched_records(filters, passed):
    assert passes("enriched", RECORD, **filters) is passed


def test_filters_that_a_topic_does_not_have_and_values_that_cannot_be_are_all_named():
    with pytest.raises(ConfigError) as refused:
        make_filter("raw", TAPS["raw"], {"intent": ["x"], "channel": ["mail"]}, [], "(")
    said = str(refused.value)
    assert "--intent: records of raw do not have this field; it filters enriched, alerts, counts" in said
    assert "--channel takes complaint, review, social, not 'mail'" in said
    assert "--text '(' is not a regular expression" in said


def test_raw_records_are_redacted_before_anything_looks_at_them():
    value = {"text": "mail jane@example.com", "author_id": "jane", "name": "Jane Doe"}
    found = tapped("raw", value, KAFKA.topic("reviews"))
    for shown in (found.json, found.line, str(found.facts)):
        assert "jane@example.com" not in shown
        assert "Doe" not in shown
    assert json.loads(found.json)["record"]["channel"] == "review"
    assert found.facts["channel"] == Channel.REVIEW
    assert not passes("raw", value, text="jane@example")


def test_invalid_json_is_shown_redacted():
    assert "[EMAIL]" in tapped("complaints", b"no json, jane@example.com").json
    assert "2 bytes" in tapped("complaints", b"\xff\xfe").json


def test_a_record_cannot_write_to_the_terminal_by_itself():
    line = tapped("enriched", enriched("x\x1b[2J\u202ey")).line
    assert "\x1b[2J" not in line
    assert "\u202e" not in line


def test_lines_of_the_other_topics():
    assert "Delivery spikes" in tapped("alerts", ALERT).line
    assert "45 of 60 negative" in tapped("alerts", ALERT).line
    one = {"key": "intent=delivery", "dimensions": {"intent": "delivery"}, "negative": 3, "total": 9}
    count = {"type": "counts", "topic": "t", "counts": [one]}
    assert "3 of    9 negative intent=delivery" in tapped("counts", count).line
    assert passes("counts", count, intent=["delivery"])
    mark = {"type": "watermark", "topic": "t", "partition": 1, "watermark_ms": AT_MS, "lag": 4}
    assert "watermark 2026-11-22T09:30:00.000Z of t/1, lag 4" in tapped("counts", mark).line
    letter = {"stage": "decode", "reason": "not_json", "message": "not JSON: x", "payload": "abc"}
    assert "decode/not_json" in tapped("dead-letter", letter).line
    assert "(deleted)" in tapped("alerts", None).line


def test_usage_errors(capfd):
    assert run(capfd, "tap", "nonsense").code == 2
    both = run(capfd, "tap", "--since", "1h", "--from-beginning")
    assert both.code == 2
    assert "give either --since or --from-beginning" in both.err


@pytest.mark.stack
def test_tapping_a_topic_joins_no_group(capfd, stack, prefix):
    flags = {"kafka.bootstrap_servers": stack.bootstrap_servers, "kafka.topic_prefix": prefix}
    kafka = load_settings(None, flags).kafka
    options = [f"--set={name}={value}" for name, value in flags.items()]
    missing = run(capfd, "tap", *options)
    assert missing.code == 2
    assert f"no topic {prefix}.enriched; run: triage topics apply" in missing.err
    apply_topics(kafka)
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    for number in range(6):
        record = enriched(f"text {number}", intent="delivery" if number % 2 else "billing")
        producer.send(kafka.topic("enriched"), key=b"k", value=msgspec.json.encode(record))
    producer.flush()
    producer.close()

    everything = run(capfd, "tap", "--from-beginning", "--no-follow", *options)
    assert everything.code == 0, everything.err
    lines = [json.loads(line) for line in everything.out.splitlines()]
    assert [line["record"]["text"] for line in lines] == [f"text {number}" for number in range(6)]
    assert lines[0]["position"].startswith(f"{prefix}.enriched/")
    some = run(capfd, "tap", "--from-beginning", "--intent", "delivery", "--limit", "2", *options)
    assert [json.loads(line)["record"]["text"] for line in some.out.splitlines()] == ["text 1", "text 3"]
    assert run(capfd, "tap", "--no-follow", *options).out == ""
    assert len(run(capfd, "tap", "--since", "1h", "--no-follow", *options).out.splitlines()) == 6
    with admin_client(kafka) as admin:
        assert not [group for group in admin.list_groups() if "tap" in str(group)]
