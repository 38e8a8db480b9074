"""Workers are killed and restarted: no record is lost or duplicated in Elasticsearch, the topic or the counts."""

import os
import signal

import pytest
from harness import Fleet, numbered, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.slow]

REAL = bool(os.environ.get("TRIAGE_TEST_KAFKA"))
INVALID = [b"not json", b'{"id": "no text"}', b'{"text": "   "}', b"\xff\xfe", b"[1, 2]"]


@pytest.fixture
def fleet(stack, prefix, tmp_path):
    # Small batches, so that the middle of the stream lasts longer than one look at it.
    fleet = Fleet(stack, prefix, tmp_path, **{"worker.max_batch_records": 32}).prepare()
    yield fleet
    fleet.stop()


def _assert_exactly_once(fleet, valid, invalid):
    found = fleet.audit()
    ids = {f"r{n}" for n in range(valid)}
    assert found.lag == 0
    assert set(found.enriched) == ids
    assert set(found.enriched.values()) == {1}
    assert set(found.indexed) == ids
    assert set(found.indexed.values()) == {1}
    assert len(found.dead) == invalid
    assert set(found.dead.values()) <= {1}
    assert found.counted == valid


def test_the_same_worker_killed_in_mid_stream_and_restarted(fleet):
    total = 3000
    fleet.start_worker("a")
    fleet.produce([*numbered(total), *INVALID])
    wait_for(lambda: 0 < fleet.committed_lag() < total, 60, "the middle of the stream")
    for _ in range(3):
        fleet.workers["a"].send_signal(signal.SIGKILL)
        fleet.workers["a"].wait()
        before = fleet.committed_lag()
        fleet.start_worker("a")
        wait_for(lambda before=before: before == 0 or fleet.committed_lag() < before, 60, "progress after a restart")
    fleet.wait_drained()
    _assert_exactly_once(fleet, total, len(INVALID))


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="the local stack never expires a dead member: takeover needs the real Kafka")
def test_three_workers_share_the_partitions_and_peers_take_over_from_a_killed_one(fleet):
    total = 6000
    for slot in "abc":
        fleet.start_worker(slot)
    for slot in "abc":
        wait_for(
            lambda slot=slot: "partitions_assigned" in fleet.logs(f"worker-{slot}-*"), 60, f"a share for worker {slot}"
        )
    fleet.produce(numbered(300))
    fleet.wait_drained()
    fleet.produce([*numbered(total - 300, start=300), *INVALID])
    wait_for(lambda: 0 < fleet.committed_lag() < total - 600, 60, "the middle of the stream")
    fleet.workers["b"].send_signal(signal.SIGKILL)
    fleet.workers["b"].wait()
    fleet.wait_drained(120)
    _assert_exactly_once(fleet, total, len(INVALID))


def test_sigterm_drains_and_ends_cleanly(fleet):
    fleet.start_worker("a")
    fleet.produce(numbered(600))
    wait_for(lambda: fleet.committed_lag() < 600, 60, "the first commit")
    fleet.workers["a"].terminate()
    assert fleet.workers["a"].wait(30) == 0
    assert '"worker_drained"' in fleet.logs()
    fleet.start_worker("a")
    fleet.wait_drained()
    _assert_exactly_once(fleet, 600, 0)


@pytest.mark.real
@pytest.mark.skipif(not REAL, reason="the local stack does not fence members")
def test_of_two_workers_with_one_slot_one_ends_and_says_why_and_the_other_goes_on(fleet):
    pair = [fleet.start_worker("a")]
    wait_for(lambda: "partitions_assigned" in fleet.logs(), 60, "the first worker to join")
    pair.append(fleet.start_worker("a"))
    ended = wait_for(lambda: [worker for worker in pair if worker.poll() is not None], 300, "one of them to end")
    assert [worker.returncode for worker in ended] == [2]
    assert f"another worker runs as {fleet.prefix}-a" in fleet.logs()
    (fleet.workers["a"],) = set(pair) - set(ended)
    fleet.produce(numbered(200))
    fleet.wait_drained()
    _assert_exactly_once(fleet, 200, 0)
