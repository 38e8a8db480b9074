"""The consumer under Faust: what a rebalance must not lose, and a broker that does not wait."""

import asyncio

import pytest
from faust.types import TP

from triage.alerting.app.faust_app import faust_app
from triage.alerting.app.faust_consumer import _pace
from triage.config import load_settings

NEW, READ, CHANGELOG = TP("counts", 0), TP("counts", 1), TP("changelog", 0)


class Thread:
    """The side of the consumer that talks to the brokers; `polled` answers a poll once `answer` is set."""

    def __init__(self):
        self.positions = {}
        self.polled = {}
        self.answer = asyncio.Event()

    def assignment(self):
        return {NEW, READ, CHANGELOG}

    async def seek_to_committed(self):
        self.positions[READ] = 7
        return {NEW: None, READ: 7, CHANGELOG: None}

    async def earliest_offsets(self, *tps):
        return dict.fromkeys(tps, 3)

    async def seek_wait(self, partitions):
        self.positions.update(partitions)

    async def getmany(self, active, timeout):  # noqa: ASYNC109
        del active, timeout
        await self.answer.wait()
        return self.polled


class Record:
    offset = 40


async def ignored(*_):
    pass


@pytest.fixture
def consumer(tmp_path, monkeypatch):
    async def make():
        app = faust_app(load_settings(None, {"alerting.data_dir": str(tmp_path)}), partitions=2, replicas=1)
        consumer = app.transport.create_consumer(
            callback=ignored, on_partitions_revoked=ignored, on_partitions_assigned=ignored
        )
        consumer._thread.thread_loop.close()
        monkeypatch.setattr(consumer, "_thread", Thread())
        monkeypatch.setattr(consumer, "_is_changelog_tp", lambda tp: tp == CHANGELOG)
        consumer._set_active_tps({NEW, READ, CHANGELOG})
        return consumer

    return make


def test_a_partition_without_a_committed_offset_is_sought_back_to_its_beginning(consumer):
    async def scenario():
        found = await consumer()
        await found.perform_seek()
        return found._thread.positions

    assert asyncio.run(scenario()) == {READ: 7, NEW: 3}


def test_resuming_streams_stops_the_flow_until_faust_resumes_it(consumer):
    async def scenario():
        found = await consumer()
        found.resume_flow()
        found.resume_partitions({CHANGELOG})
        assert found.flow_active
        found.resume_partitions({NEW})
        assert not found.flow_active
        poll = asyncio.create_task(found._wait_next_records(1.0))
        found._thread.answer.set()
        await asyncio.sleep(0)
        await found.perform_seek()
        assert not poll.done()
        found._thread.polled = {READ: [Record]}
        found.resume_flow()
        return await poll

    records, _ = asyncio.run(scenario())
    assert records == {READ: [Record]}


def test_a_seek_waits_for_the_poll_under_way_and_has_the_last_word(consumer):
    async def scenario():
        found = await consumer()
        found.resume_flow()
        poll = asyncio.create_task(found._wait_next_records(1.0))
        await asyncio.sleep(0)
        found.stop_flow()
        seek = asyncio.create_task(found.perform_seek())
        await asyncio.sleep(0)
        assert found._thread.positions == {}
        found._thread.polled = {READ: [Record], CHANGELOG: [Record]}
        found._thread.answer.set()
        await asyncio.gather(poll, seek)
        return poll.result()[0], found._thread.positions

    records, positions = asyncio.run(scenario())
    assert records is None, "what was polled after the flow was stopped is not handed on"
    assert positions == {READ: 7, NEW: 3, CHANGELOG: 40}, "the changelog goes on with what was given back"


@pytest.mark.parametrize(("found", "pauses"), [(False, True), (True, False)])
def test_only_an_empty_answer_is_followed_by_a_pause(found, pauses):
    class Fetcher:
        async def _proc_fetch_request(self, *_):
            return found

    async def scenario():
        fetcher = Fetcher()
        _pace(fetcher)
        began_s = asyncio.get_running_loop().time()
        assert await fetcher._proc_fetch_request("assignment", 1, "request") is found
        return asyncio.get_running_loop().time() - began_s

    assert (asyncio.run(scenario()) >= 0.15) is pauses
