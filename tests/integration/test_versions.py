"""Versions of tickets through `triage ingest` on a stack with three partitions: each document ends on the newest."""

import json
import time

import pytest
from harness import Fleet, partitions_of
from kafka import KafkaConsumer

from triage.cli.main import main

pytestmark = pytest.mark.stack

IDS, VERSIONS = 60, 5


@pytest.fixture
def fleet(stack, prefix, tmp_path):
    fleet = Fleet(stack, prefix, tmp_path).prepare()
    yield fleet
    fleet.stop()


def _file(path, brand, pairs, created_at):
    rows = (
        {"id": f"{brand}-{n}", "source": "desk", "text": f"It changed v{v}", "created_at": created_at, "brand": brand}
        for n, v in pairs
    )
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def _ingest(fleet, monkeypatch, path):
    monkeypatch.setenv("TRIAGE_KAFKA__BOOTSTRAP_SERVERS", fleet.settings.kafka.bootstrap_servers)
    monkeypatch.setenv("TRIAGE_KAFKA__TOPIC_PREFIX", fleet.prefix)
    with pytest.raises(SystemExit) as ended:
        main(["ingest", str(path), "--channel", "complaint"])
    assert ended.value.code == 0


def _versions(fleet, brand):
    """The version of each document of a brand in the index."""
    with fleet.elasticsearch() as client:
        client.indices.refresh(index=fleet.prefix)
        hits = client.search(index=fleet.prefix, size=500, query={"term": {"brand": brand}})["hits"]["hits"]
    return {hit["_source"]["event"]["id"]: hit["_source"]["text"][-2:] for hit in hits}


def _partitions(fleet):
    """The partitions of each key in the raw topic, and the number of partitions that hold any."""
    topic = fleet.settings.kafka.topic("complaints")
    found: dict[bytes | None, set[int]] = {}
    consumer = KafkaConsumer(
        bootstrap_servers=fleet.settings.kafka.bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    try:
        partitions = partitions_of(consumer, topic)
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        # To the end, however long a busy machine takes for it: a pause is not the end.
        deadline = time.monotonic() + 120
        while any(consumer.position(each) < ends[each] for each in partitions):
            assert time.monotonic() < deadline, f"{topic} could not be read to its end"
            for records in consumer.poll(timeout_ms=300).values():
                for record in records:
                    found.setdefault(record.key, set()).add(record.partition)
    finally:
        consumer.close()
    return found, set().union(*found.values())


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_newest_version_of_each_ticket_stays(fleet, tmp_path, monkeypatch, workers):
    for number in range(workers):
        fleet.start_worker(f"w{number}")
    day_ms = int(time.time() * 1000) // 86_400_000 * 86_400_000
    apart = _file(tmp_path / "U.jsonl", "U", [(n, v) for v in range(VERSIONS) for n in range(IDS)], day_ms)
    adjacent = _file(tmp_path / "C.jsonl", "C", [(n, v) for n in range(IDS) for v in range(VERSIONS)], day_ms)
    # Again: the same files change nothing.
    for path in (apart, adjacent, apart):
        _ingest(fleet, monkeypatch, path)
    fleet.wait_drained()
    keys, partitions = _partitions(fleet)
    assert len(partitions) > 1, "with one partition this shows nothing"
    assert None not in keys
    assert all(len(where) == 1 for where in keys.values())
    for brand in "UC":
        assert _versions(fleet, brand) == {f"{brand}-{n}": f"v{VERSIONS - 1}" for n in range(IDS)}
    newest: dict[bytes, str] = {key: record["text"][-2:] for key, record, _ in fleet.read("enriched")}
    assert set(newest.values()) == {f"v{VERSIONS - 1}"}


@pytest.mark.slow
def test_over_partitions_the_named_version_decides(fleet):
    fleet.start_worker("w0")
    day_ms = int(time.time() * 1000) // 86_400_000 * 86_400_000
    rows = [(n, v) for v in (3, 0, 4, 1, 2) for n in range(IDS)]
    fleet.produce(
        [
            json.dumps(
                {"id": f"N-{n}", "source": "desk", "text": f"It changed v{v}", "created_at": day_ms, "brand": "N"}
                | {"version": f"2026-11-22T09:30:00.00000{v}Z"}
            ).encode()
            for n, v in rows
        ],
        "complaints",
    )
    fleet.wait_drained()
    assert _versions(fleet, "N") == {f"N-{n}": "v4" for n in range(IDS)}
