"""The runner over a broker and an index in memory: batches, retries, rebalances, fencing, draining."""

import json
import threading

import pytest
from worker_rig import TOPIC, Rig

from triage.errors import Fenced, Unavailable
from triage.sinks.memory import MemorySink


class RefusingSink(MemorySink):
    """Refuses documents that hold a word, for good, as a mapping conflict would."""

    def write(self, documents):
        refused = [n for n, document in enumerate(documents) if b"unmappable" in document.body]
        result = super().write([d for n, d in enumerate(documents) if n not in refused])
        result.rejected = [(n, "strict_dynamic_mapping_exception") for n in refused]
        return result


def outage(writes):
    sink = MemorySink()
    sink.outage(writes)
    return sink


def _record(n, text="My parcel never arrived"):
    return json.dumps({"id": f"r{n}", "text": text}).encode()


def _assert_exactly_once(rig, ids):
    assert sorted(r["event"]["id"] for r in rig.produced("enriched")) == sorted(ids)
    assert sorted(d["event"]["id"] for d in rig.bodies()) == sorted(ids)
    assert sum(c.total for c in rig.counts()) == len(ids)


def test_valid_records_come_out_enriched_and_invalid_ones_as_dead_letters():
    rig = Rig()
    rig.send(_record(1), b"oops", _record(2, "I love it"), b'{"text": ""}')
    rig.run()
    _assert_exactly_once(rig, ["r1", "r2"])
    dead = rig.produced("dead-letter")
    assert [(d["reason"], d["offset"]) for d in dead] == [("not_json", 1), ("empty_text", 3)]
    assert rig.source.committed == {(TOPIC, 0): 4}
    assert rig.source.closed
    assert sum(c.negative for c in rig.counts()) == 1


def test_a_dead_letter_holds_no_personal_data():
    rig = Rig()
    rig.send(b'{"text": 5, "note": "mail jane@example.com or call +1 415 555 2671"}', b"raw jane@example.com")
    rig.run()
    for letter in rig.produced("dead-letter"):
        assert "jane@example.com" not in json.dumps(letter)
        assert "555 2671" not in json.dumps(letter)


def test_elasticsearch_away_pauses_and_retries_until_it_is_back():
    rig = Rig(outage(5))
    rig.send(*(_record(n) for n in range(10)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])
    assert rig.metrics.registry.get_sample_value("triage_retries_total", {"dependency": "memory index"}) == 5
    assert rig.health.ready()[0]


def test_an_aborted_transaction_is_repeated_whole():
    rig = Rig()
    rig.source.fail_commits = [Unavailable("kafka", "the group rebalances")] * 3
    rig.send(*(_record(n) for n in range(10)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])


def test_a_fenced_feed_is_rebuilt_and_reads_again_from_the_committed_offsets():
    rig = Rig()
    rig.source.fail_commits = [Fenced("a successor took the transactional id")]
    rig.send(*(_record(n) for n in range(10)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])
    assert rig.connects == 2


def test_a_worker_whose_commits_are_refused_is_not_ready_until_one_succeeds():
    rig = Rig()
    refused = "records were not acknowledged; the broker answered NotEnoughReplicasError"
    rig.source.fail_commits = [Fenced(refused)] * 2
    rig.send(*(_record(n) for n in range(10)))
    seen, commit = [], rig.source.commit

    def watched(messages, offsets):
        seen.append(rig.health.ready()[1]["waiting_for"])
        commit(messages, offsets)

    rig.source.commit = watched
    rig.run()
    assert seen[:3] == [{}, {"kafka": refused}, {"kafka": refused}]
    assert rig.health.ready()[0]
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])


def test_records_of_a_partition_lost_while_in_flight_are_left_to_its_new_owner():
    sink, revoked = MemorySink(), threading.Event()
    rig = Rig(sink)
    rig.send(*(_record(n) for n in range(5)))
    rig.send(*(_record(n) for n in range(5, 10)), partition=1)
    write, poll = sink.write, rig.source.poll

    def write_after_the_rebalance(documents):
        writing.set()
        assert revoked.wait(30)
        return write(documents)

    def poll_with_a_rebalance(timeout_ms, max_records):
        if writing.is_set() and not revoked.is_set():
            rig.source.revoke((TOPIC, 1))
            revoked.set()
        return poll(timeout_ms, max_records)

    writing = threading.Event()
    sink.write, rig.source.poll = write_after_the_rebalance, poll_with_a_rebalance
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])
    assert rig.source.transactions >= 2
    # The five of the partition that was lost were worked on twice, and committed by the second owner alone.
    assert sum(len(call) for call in rig.model.calls) == 15


def test_stopping_while_elasticsearch_is_away_gives_the_batch_back():
    rig = Rig(outage(10_000))
    rig.send(*(_record(n) for n in range(3)))
    write = rig.sink.write
    rig.sink.write = lambda documents: (rig.sink.writes == 3 and rig.worker.stop()) or write(documents)
    rig.run()
    assert rig.sink.writes == 4
    assert rig.source.produced == []
    assert rig.source.committed == {}
    assert rig.source.closed


def test_a_document_that_elasticsearch_refuses_becomes_a_dead_letter():
    rig = Rig(RefusingSink())
    rig.send(_record(1), _record(2, "unmappable"), _record(3))
    rig.run()
    _assert_exactly_once(rig, ["r1", "r3"])
    assert [(d["stage"], d["reason"], d["offset"]) for d in rig.produced("dead-letter")] == [
        ("index", "index_rejected", 1)
    ]


def test_a_repeated_id_replaces_the_document_and_is_counted_again():
    rig = Rig()
    rig.send(_record(1), _record(1, "I love it"))
    rig.run()
    assert [body["text"] for body in rig.bodies()] == ["I love it"]
    assert sum(c.total for c in rig.counts()) == 2


def test_what_no_person_wrote_is_stored_and_not_counted():
    rig = Rig()
    rig.send(
        _record(1, "Automatic reply: I am away"), _record(2, "此用户没有填写评价。"), _record(3, "My parcel is late")
    )
    rig.run()
    assert len(rig.bodies()) == 3
    assert sum(count.total for count in rig.counts() if not count.dimensions) == 1


@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_of_any_size_give_the_same_result(size):
    rig = Rig(**{"worker.max_batch_records": size})
    rig.send(*(_record(n) for n in range(50)))
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(50)])
    assert max(len(call) for call in rig.model.calls) <= size


def test_records_gathered_before_a_poll_fails_are_worked_on_and_not_committed_past():
    rig = Rig()
    rig.send(*(_record(n) for n in range(10)))
    poll, calls = rig.source.poll, []

    def failing(timeout_ms, max_records):
        calls.append(max_records)
        if len(calls) == 2:
            raise Unavailable("kafka", "connection lost")
        return poll(timeout_ms, min(max_records, 4))

    rig.source.poll = failing
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(10)])


def test_batches_overlap_and_are_committed_in_order():
    rig = Rig(**{"worker.max_batch_records": 5})
    rig.send(*(_record(n) for n in range(40)))
    second, commits = threading.Event(), []
    write, predict, commit = rig.sink.write, rig.model.predict, rig.source.commit

    def predict_and_tell(texts):
        if rig.model.calls:
            second.set()
        return predict(texts)

    def write_once_the_next_is_judged(documents):
        # Behind the first batch a second one must come under way while it is stored.
        assert second.wait(30)
        return write(documents)

    def commit_and_note(messages, offsets):
        commits.append(offsets[TOPIC, 0])
        return commit(messages, offsets)

    rig.model.predict, rig.sink.write, rig.source.commit = (
        predict_and_tell,
        write_once_the_next_is_judged,
        commit_and_note,
    )
    rig.run()
    _assert_exactly_once(rig, [f"r{n}" for n in range(40)])
    assert commits == sorted(commits)
    assert len(commits) == 8


def test_one_batch_in_flight_is_one_after_the_other():
    rig = Rig(**{"worker.max_batch_records": 5, "worker.batches_in_flight": 1})
    rig.send(*(_record(n) for n in range(20)))
    predict = rig.model.predict
    committed = []
    rig.model.predict = lambda texts: committed.append(dict(rig.source.committed)) or predict(texts)
    rig.run()
    assert [each.get((TOPIC, 0), 0) for each in committed] == [0, 5, 10, 15]


def test_no_watermark_passes_what_was_read_and_waits():
    rig = Rig(**{"worker.max_batch_records": 5})
    rig.send(*(_record(n) for n in range(40)))
    rig.run()
    at_commit = 0
    for message in rig.source.produced:
        if message.topic != "feedback.window-counts":
            continue
        said = json.loads(message.value)
        if said["type"] == "counts":
            at_commit = max(at_commit, said["last_offset"] + 1)
        else:
            assert said["offset"] == at_commit
            assert said["lag"] == 40 - at_commit
