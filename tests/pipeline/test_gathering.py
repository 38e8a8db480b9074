"""Records that wait for their batch while partitions come and go."""

import itertools
import json
import threading
import time

from doubles import WordModel
from worker_rig import TOPIC, Rig


def test_a_partition_that_goes_and_comes_back_while_records_are_gathered_is_read_again_whole():
    rig = Rig()
    ids = [f"r{n}" for n in range(6)]
    rig.send(*(json.dumps({"id": name, "text": "My parcel never arrived"}).encode() for name in ids))
    poll, polls, deadline = rig.source.poll, [], time.monotonic() + 60

    def two_at_a_time(timeout_ms, max_records):
        found = poll(timeout_ms, min(max_records, 2))
        polls.append(found)
        if len(polls) == 2:
            rig.source.revoke((TOPIC, 0))
        if time.monotonic() > deadline:
            rig.worker.stop()
        return found

    rig.source.poll = two_at_a_time
    rig.run()
    assert [record["event"]["id"] for record in rig.produced("enriched")] == ids
    assert sorted(document["event"]["id"] for document in rig.bodies()) == ids
    assert rig.source.committed == {(TOPIC, 0): len(ids)}


class HeldModel(WordModel):
    """Its first call lasts until it is released."""

    def __init__(self):
        super().__init__()
        self.release = threading.Event()

    def predict(self, texts):
        assert self.release.wait(30)
        return super().predict(texts)


def test_a_partition_that_goes_and_comes_back_while_a_batch_waits_for_its_turn_is_read_again_whole():
    model = HeldModel()
    rig = Rig(model=model, **{"worker.max_batch_records": 100})
    ids = [f"r{n}" for n in range(12)]
    rig.send(*(json.dumps({"id": name, "text": "My parcel never arrived"}).encode() for name in ids))
    poll, polls = rig.source.poll, itertools.count()

    def now_and_then_two(timeout_ms, max_records):
        at = next(polls)
        if at == 9:
            rig.source.revoke((TOPIC, 0))
        if at == 31:
            model.release.set()
        return [] if at % 2 else poll(timeout_ms, min(max_records, 2))

    rig.source.poll = now_and_then_two
    rig.run()
    assert [record["event"]["id"] for record in rig.produced("enriched")] == ids
    assert rig.source.committed == {(TOPIC, 0): len(ids)}
    # What arrived while the first batch was being processed went together.
    assert len(model.calls) < len(ids) / 2
