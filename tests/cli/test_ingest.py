"""`triage ingest` as a user runs it, against the stack."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys

import pytest
from kafka import KafkaConsumer, TopicPartition

from triage.config import KafkaSettings
from triage.local.stack import LocalStack
from triage.schemas.enriched import record_key
from triage.topics import admin_client, apply_topics
from triage.types import Channel

CHANNELS = ("complaint", "review", "social")


def _command(*arguments):
    return [sys.executable, "-m", "triage", "ingest", *map(str, arguments)]


def _ingest(*arguments, stdin=None):
    return subprocess.run(_command(*arguments), check=False, capture_output=True, input=stdin, timeout=120)


def _flags(kafka):
    return ["--bootstrap-servers", kafka.bootstrap_servers, "--set", f"kafka.topic_prefix={kafka.topic_prefix}"]


def _values(kafka, name):
    """Every record of a topic, decoded."""
    consumer = KafkaConsumer(**kafka.client(), enable_auto_commit=False)
    topic, channel = kafka.topic(name), Channel({"complaints": "complaint", "reviews": "review"}.get(name, name))
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    values = []
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for records in consumer.poll(timeout_ms=500).values():
            values += [json.loads(record.value) for record in records]
            for record in records:
                raw = json.loads(record.value)
                assert record.key == record_key(channel, raw.get("source"), raw.get("id"))
    consumer.close()
    return values


def _numbered(tmp_path, count, **fields):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps({"text": f"row {n}", "id": str(n)} | fields) + "\n" for n in range(count)))
    return path


@pytest.fixture
def kafka(stack, prefix):
    settings = KafkaSettings(bootstrap_servers=stack.bootstrap_servers, topic_prefix=prefix)
    apply_topics(settings)
    yield settings
    with admin_client(settings) as admin:
        admin.delete_topics([name for name in admin.list_topics() if name.startswith(f"{prefix}.")])


@pytest.mark.stack
def test_files_go_to_the_topics_of_their_channels(kafka, tmp_path):
    rows = [
        {"text": f"{channel} {n} 中文 👍", "channel": channel, "shop": n} for channel in CHANNELS for n in range(100)
    ]
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    table = tmp_path / "more.csv"
    table.write_text('id,comment,rating\n1,"two\nlines",4\n2,,\n3,third,x\n4,fourth,\n')
    done = _ingest(packed, "--strict", *_flags(kafka))
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert b"300 rows in" in done.stderr
    assert b"300 accepted (complaint 100, review 100, social 100), 0 refused, 300 acknowledged" in done.stderr
    done = _ingest(table, "--channel", "review", "--column", "text=comment", *_flags(kafka))
    assert done.returncode == 0
    assert f"{table}:4: the field text is missing".encode() in done.stderr
    assert b"rating left out of 1 row" in done.stderr
    assert b"4 rows in" in done.stderr
    assert b"3 accepted (review 3), 1 refused, 3 acknowledged" in done.stderr

    for channel, topic in zip(CHANNELS, ("complaints", "reviews", "social"), strict=True):
        expected = [{"text": row["text"], "shop": row["shop"]} for row in rows if row["channel"] == channel]
        if channel == "review":
            expected += [
                {"text": "two\nlines", "id": "1", "rating": 4},
                {"text": "third", "id": "3"},
                {"text": "fourth", "id": "4"},
            ]
        found = _values(kafka, topic)
        assert sorted(found, key=json.dumps) == sorted(({**row} for row in expected), key=lambda row: _key(row, found))


def _key(row, found):
    """The same order for equal records, whatever the order of their keys."""
    return json.dumps(next(other for other in found if other == row))


@pytest.mark.stack
def test_standard_input_strict_limit_and_skip(kafka):
    rows = b'{"text":"a"}\nnonsense\n{"text":"c"}\n{"text":"d"}\n'
    done = _ingest("-", "--strict", "--format", "jsonl", *_flags(kafka), stdin=rows)
    assert done.returncode == 1
    assert b"<stdin>:2: not JSON" in done.stderr
    assert len(_values(kafka, "complaints")) == 3
    done = _ingest("-", "--skip", 2, "--limit", 1, "--channel", "social", *_flags(kafka), stdin=rows)
    assert done.returncode == 0
    assert [row["text"] for row in _values(kafka, "social")] == ["c"]


@pytest.mark.stack
def test_large_records_fit_the_topics_and_larger_ones_are_refused(kafka, tmp_path):
    path = tmp_path / "large.jsonl"
    texts = ["x" * 1_000_000, "差" * 1_000_000, "small", "y" * 4_300_000]
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts))
    done = _ingest(path, *_flags(kafka))
    assert f"{path}:4: the line has 4300012 bytes".encode() in done.stderr
    assert b"3 accepted (complaint 3), 1 refused, 3 acknowledged" in done.stderr
    assert sorted(row["text"] for row in _values(kafka, "complaints")) == sorted(texts[:3])

    with admin_client(kafka) as admin:
        from kafka.admin import ConfigResource

        admin.alter_configs([ConfigResource("topic", kafka.topic("complaints"), {"max.message.bytes": "100000"})])
    done = _ingest(path, *_flags(kafka))
    assert done.returncode == 0
    assert f"{path}:1: the record has 1000011 bytes; its topic takes at most 99744".encode() in done.stderr
    assert b"1 accepted (complaint 1), 3 refused, 1 acknowledged" in done.stderr


@pytest.mark.stack
def test_missing_topics_name_the_command_that_makes_them(stack, prefix, tmp_path):
    path = _numbered(tmp_path, 1)
    done = _ingest(path, "--bootstrap-servers", stack.bootstrap_servers, "--set", f"kafka.topic_prefix={prefix}")
    assert done.returncode == 2
    assert f"topics {prefix}.complaints, {prefix}.reviews, {prefix}.social do not exist on".encode() in done.stderr
    assert b"run triage topics apply" in done.stderr


@pytest.mark.stack
def test_an_interrupt_waits_for_sent_rows_and_prints_where_to_resume(kafka, tmp_path):
    path = _numbered(tmp_path, 2_000)
    running = subprocess.Popen(_command(path, "--rate", 100, *_flags(kafka)), stderr=subprocess.PIPE)
    while not _values(kafka, "complaints"):
        assert running.poll() is None
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1].decode()
    assert running.returncode == 130
    stopped = int(re.search(r"stopped after .*rows\.jsonl:\d+; resume with --skip (\d+)", said)[1])
    assert f"{stopped} acknowledged by Kafka" in said
    assert len(_values(kafka, "complaints")) == stopped < 2_000
    assert _ingest(path, "--skip", stopped, *_flags(kafka)).returncode == 0
    assert sorted(int(row["id"]) for row in _values(kafka, "complaints")) == list(range(2_000))


@pytest.mark.stack
def test_interrupted_while_standard_input_is_silent(kafka):
    running = subprocess.Popen(
        _command("-", *_flags(kafka)), stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    running.stdin.write(b'{"text":"only"}\n')
    running.stdin.flush()
    while not _values(kafka, "complaints"):
        assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    assert running.wait(timeout=30) == 130
    said = running.stderr.read().decode()
    for stream in (running.stdin, running.stderr, running.stdout):
        stream.close()
    assert "stopped after <stdin>:1; resume with --skip 1" in said


@pytest.mark.stack
@pytest.mark.slow
def test_no_row_is_lost_when_resumed_after_a_broker_failure(tmp_path):
    """An embedded stack of its own. It is frozen, not ended: noida-db loses what it acknowledged in its last second."""
    # A minute of rows: it is still sending when the stack is frozen, however long the looks at it take.
    path = _numbered(tmp_path, 30_000)
    stack = LocalStack(tmp_path / "stack")
    kafka = KafkaSettings(bootstrap_servers=stack.start().bootstrap_servers, topic_prefix="x")
    try:
        apply_topics(kafka)
        flags = _flags(kafka)
        impatient = [*flags, "--set", "kafka.request_timeout_ms=5000"]
        running = subprocess.Popen(_command(path, "--rate", 500, *impatient), stderr=subprocess.PIPE)
        while len(_values(kafka, "complaints")) < 300:
            assert running.poll() is None
        os.kill(stack.pid, signal.SIGSTOP)
        said = running.communicate(timeout=300)[1].decode()
        assert running.returncode == 1
        assert f"triage: kafka: sending to {kafka.bootstrap_servers}" in said
        resume = re.search(r"rows\.jsonl:(\d+) is the first row not acknowledged; resume with --skip (\d+)", said)
        assert int(resume[1]) == int(resume[2]) + 1
        assert "Traceback" not in said
        os.kill(stack.pid, signal.SIGCONT)
        assert _ingest(path, "--skip", resume[2], *flags).returncode == 0
        assert {int(row["id"]) for row in _values(kafka, "complaints")} == set(range(30_000))
    finally:
        os.kill(stack.pid, signal.SIGCONT)
        stack.stop()


def test_an_unreachable_broker_is_reported_with_its_address_and_exits_with_1(tmp_path):
    done = _ingest(_numbered(tmp_path, 1), "--bootstrap-servers", "127.0.0.1:1", "--set", "kafka.start_timeout_s=0.5")
    assert done.returncode == 1
    assert b"triage: kafka: no broker answered within 0.5 s: 127.0.0.1:1" in done.stderr


def test_a_dry_run_needs_no_broker(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,channel\nfine,review\nbad,fax\n")
    done = _ingest(path, "--dry-run", "--strict", "--bootstrap-servers", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        f"{path}:3: channel 'fax' is not one of complaint, review, social",
        *[line for line in done.stderr.decode().splitlines() if "2 rows in" in line],
    ]
    assert b"1 accepted (review 1), 1 refused; nothing was sent (--dry-run)" in done.stderr


def test_every_file_is_checked_before_anything_is_sent(tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("text\na\n")
    bad.write_text("body\na\n")
    done = _ingest(good, bad, tmp_path / "none.csv", "-", "-", "--dry-run", stdin=b"")
    assert done.returncode == 2
    assert f"{bad}: no column 'text'; the file has: body".encode() in done.stderr
    assert b"none.csv: no such file" in done.stderr
    assert b"standard input (-) can only be read once" in done.stderr
    assert b"rows in" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--column", "text"], b"--column takes FIELD=NAME"),
        (["--format", "xml"], b"--format is csv or jsonl"),
        (["--channel", "fax"], b"fax"),
        (["--rate", "0"], b"--rate"),
    ],
)
def test_bad_usage_exits_2(tmp_path, arguments, said):
    done = _ingest(_numbered(tmp_path, 1), "--dry-run", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_damaged_gzip_fails_after_the_rows_before_it(tmp_path):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(gzip.compress(_numbered(tmp_path, 20_000).read_bytes())[:-100])
    done = _ingest(path, "--dry-run")
    assert done.returncode == 1
    assert b"the gzip data is cut off or damaged" in done.stderr
    last, skip = re.search(rb"stopped after .*rows\.jsonl\.gz:(\d+); resume with --skip (\d+)", done.stderr).groups()
    assert last == skip != b"0"
