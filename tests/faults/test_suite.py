"""A short run of the fault suite (`make faults`): some thousand records, a few faults, nothing lost or duplicated."""

import json
import os
import random
import subprocess
from types import SimpleNamespace

import pytest
from chaos.auditor import Sent, _order
from chaos.cluster import java_hash
from chaos.faults import FAULTS, possible, schedule
from chaos.monitor import Resources
from chaos.run import Plan, run
from chaos.stack import Stack, open_stack
from chaos.table import table

from triage.local.stack import Endpoints

REAL = bool(os.environ.get("TRIAGE_TEST_KAFKA"))
QUICK = ("worker SIGKILL", "Elasticsearch refuses items", "Elasticsearch 503 after writing")


def _assert_clean(outcome, faults):
    assert outcome.problems == []
    assert len(outcome.strikes) == faults
    assert outcome.invalid > 0


@pytest.mark.stack
@pytest.mark.skipif(REAL, reason="the longer cut below runs there")
def test_nothing_is_lost_or_twice_on_the_local_stack(stack, tmp_path):
    proxied = Stack(stack, real=False)
    try:
        # One worker: the local stack never expires a dead member, so rebalances are tested on the real stack.
        plan = Plan(records=1_500, rate=400, faults=3, gap_s=0.5, workers=1, names=QUICK, pages=False)
        outcome = run(proxied, 1, plan, tmp_path)
    finally:
        proxied.close()
    _assert_clean(outcome, 3)
    assert outcome.records >= 1_500


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="needs the real stack")
def test_nothing_is_lost_or_twice_on_the_real_stack(tmp_path):
    with open_stack() as stack:
        outcome = run(stack, 1, Plan(records=8_000, rate=300, faults=10, gap_s=1.5), tmp_path)
    _assert_clean(outcome, 10)
    assert outcome.records >= 8_000


def test_a_seed_says_what_strikes_and_when():
    first, second = (schedule(FAULTS, len(FAULTS) + 3, random.Random(7), 2.0) for _ in range(2))
    assert [(fault.name, pause) for fault, pause in first] == [(fault.name, pause) for fault, pause in second]
    assert {fault.name for fault, _ in first} == {fault.name for fault in FAULTS}


def test_what_the_stack_cannot_take_is_named():
    class Bare:
        class can:  # noqa: N801
            control = cluster = kafka_network = cluster_network = expiry = False

    takes, cannot = possible(Bare)
    assert {fault.name for fault in takes} | {fault.name for fault in cannot} == {fault.name for fault in FAULTS}
    assert {"Kafka killed", "Kafka connections cut", "worker frozen past its session"} <= {f.name for f in cannot}


def test_a_process_that_ends_with_more_than_it_had_is_named():
    resources = Resources(None)
    for at in range(0, 201, 2):
        resources.rows += [
            (at, "flat", 1, 190 + min(at, 60) / 2, 7, 15 + 20 * (at == 180)),
            (at, "waiting to start", 4, 190 if at > 80 else 50, 7 if at > 80 else 2, 15 if at > 80 else 5),
            (at, "leaking", 2, 190 + at, 7 + at // 10, 15 + at // 4),
        ]
        if at < 30:
            resources.rows.append((at, "short", 3, 50 + 20 * at, 7 + at, 15 + at))
    assert [problem.partition(" in ")[0] for problem in resources.grown()] == [
        "leaking (2) grew from 290 to 382 MiB",
        "leaking (2) grew from 17 to 26 threads",
        "leaking (2) grew from 40 to 63 files",
    ]


def test_a_soak_says_what_every_process_has():
    resources = Resources(None)
    resources.rows = [(0, "a", 1, 190.0, 7, 15), (0, "alerter", 2, 140.0, 5, 9), (2, "a", 3, 201.4, 8, 16)]
    assert resources.now() == "a 201 MiB 8 threads 16 files, alerter 140 MiB 5 threads 9 files"


def test_several_addresses_are_a_cluster_whose_members_are_named_in_order(tmp_path):
    endpoints = Endpoints("127.0.0.1:1,127.0.0.1:2", "http://127.0.0.1:3,http://127.0.0.1:4")
    stack = Stack(endpoints, control=str(tmp_path / "control"))
    try:
        assert stack.brokers == {"kafka-1": "127.0.0.1:1", "kafka-2": "127.0.0.1:2"}
        assert stack.nodes == {"elasticsearch-1": "http://127.0.0.1:3", "elasticsearch-2": "http://127.0.0.1:4"}
        assert len(stack.proxied.elasticsearch_url.split(",")) == 2
        takes, _ = possible(stack)
    finally:
        stack.close()
    names = {fault.name for fault in takes}
    assert "cluster: leader killed" in names
    assert not names & {"Kafka killed", "cluster: leader unreachable"}


@pytest.mark.parametrize(("text", "value"), [("", 0), ("a", 97), ("hello", 99162322), ("Hello, World!", 1498789909)])
def test_names_are_hashed_as_kafka_does_to_find_their_coordinator(text, value):
    assert java_hash(text) == value


def test_what_was_started_and_does_not_answer_is_started_again(tmp_path, monkeypatch):
    program = tmp_path / "control"
    program.write_text(f'#!/bin/sh\necho "$1 $2" >>{tmp_path}/calls\nexit 1\n')
    program.chmod(0o755)
    stack = Stack(Endpoints("127.0.0.1:1", "http://127.0.0.1:1"), control=str(program))
    answers = iter([False, False, True])
    monkeypatch.setattr(stack, "_answers", lambda what: next(answers))
    try:
        stack.control("start", "kafka")
        with pytest.raises(subprocess.CalledProcessError):
            stack.control("stop", "kafka")
    finally:
        stack.close()
    assert (tmp_path / "calls").read_text().splitlines() == ["start kafka"] * 3 + ["stop kafka"]


def test_the_table_sums_up():
    strike = {"fault": "worker SIGKILL", "records": 1200, "recovery_s": 2.0}
    outcomes = [
        {"seed": seed, "records": 5000, "lost": 0, "twice": 0, "versioned": 300, "older": seed - 1}
        | {"strikes": [strike, {**strike, "recovery_s": None}]}
        for seed in (1, 2)
    ]
    lines = table(outcomes, [("Kafka killed", "the stack has no control")]).splitlines()
    assert lines[2] == "| worker SIGKILL | 4 | 4,800 | 0 | 0 | 2.0 | 2.0 |"
    assert "skipped: the stack has no control" in lines[3]
    assert lines[4].startswith("| **all, 2 runs** | 4 | 10,000 | 0 | 0 |")
    assert lines[-1] == "Order: 1 of 600 ids in several versions ended on an older one."
    outcomes[0]["expired"] = 14
    assert table(outcomes, []).endswith("Retention deleted all versions of 14 more before they were read.")


def test_versions_that_retention_deleted_unread_are_not_expected():
    sent = Sent()

    def note(offset: int, name: str, version: int, unread: bool = False) -> None:
        value = json.dumps({"id": name, "text": f"v{version}"}).encode()
        sent.note(SimpleNamespace(topic="raw", partition=0, offset=offset, value=value), unread=unread)

    note(0, "rv1", 0)
    note(1, "rv1", 1, unread=True)
    note(2, "rv2", 0, unread=True)
    note(3, "rv2", 1, unread=True)
    note(4, "rv3", 0, unread=True)
    note(5, "rv3", 1)
    note(6, "r4", 0, unread=True)
    # Of rv1 and rv3 the last version that could be read counts; rv2 has no document, and none is missed.
    assert sent.versions == {"rv1": "v0", "rv3": "v1"}
    assert sent.expired == {"rv2"}
    assert sorted(sent.valid.values()) == ["rv1", "rv3"]
    assert _order("index", sent.versions, {"rv1": "v0", "rv3": "v1"}).clean
    assert _order("index", sent.versions, {"rv1": "v1"}).lost == ["rv1", "rv3"]
