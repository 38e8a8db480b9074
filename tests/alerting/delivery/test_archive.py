"""Archives: the newest state arrives, however long the store was away."""

import asyncio
import contextlib
import json

import pytest
from scripted_http import ScriptedServer

from triage.alerting.delivery.archive import Archive, IndexWriter
from triage.config import ElasticsearchSettings
from triage.elastic.client import connect
from triage.errors import AccessDenied, DocumentRefused, IndexUnusable, Unavailable
from triage.schemas.alert import Alert


def alert(key="triage-1", negative=1):
    return Alert(
        dedup_key=key, rule="r", key="", dimensions={}, status="firing", severity="critical", title="t", summary="s",
        started_at="", updated_at="", window_s=300, negative=negative, total=9, share=0.1, peak_negative=1,
    )  # fmt: skip


class Store:
    def __init__(self, script=()):
        self.script = list(script)
        self.written = []

    async def __call__(self, found, version):
        await asyncio.sleep(0)
        outcome = self.script.pop(0) if self.script else None
        if outcome is not None:
            raise outcome
        self.written.append((found.dedup_key, found.negative, version))


@contextlib.asynccontextmanager
async def running(store, report=lambda *_: None):
    stored = []

    async def sleep(seconds):
        await asyncio.sleep(0)

    archive = Archive("test", store, lambda name, key, version: stored.append((name, key, version)), sleep, report)
    task = asyncio.create_task(archive.run())
    yield archive, stored
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def settled():
    for _ in range(500):
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_only_the_newest_version_is_written_after_an_outage():
    store = Store([Unavailable("elasticsearch", "down")] * 3)
    async with running(store) as (archive, stored):
        archive.put(alert(negative=1), 1)
        await asyncio.sleep(0)
        archive.put(alert(negative=2), 2)
        archive.put(alert("triage-2"), 1)
        await settled()
    assert sorted(store.written) == [("triage-1", 2, 2), ("triage-2", 1, 1)]
    assert sorted(stored) == [("test", "triage-1", 2), ("test", "triage-2", 1)]


@pytest.mark.asyncio
async def test_a_version_that_was_superseded_while_it_was_written_is_not_reported_as_stored():
    store = Store()
    async with running(store) as (archive, stored):
        archive.put(alert(negative=1), 1)
        await asyncio.sleep(0)
        archive.put(alert(negative=2), 1)
        await settled()
    assert store.written == [("triage-1", 1, 1), ("triage-1", 2, 1)]
    assert stored == [("test", "triage-1", 1)]


@pytest.mark.asyncio
async def test_an_alert_that_is_refused_holds_up_no_other():
    store = Store([DocumentRefused("elasticsearch", "400 document_parsing_exception")])
    async with running(store) as (archive, stored):
        archive.put(alert("triage-1"), 1)
        archive.put(alert("triage-2"), 1)
        await settled()
    assert store.written == [("triage-2", 1, 1)]
    assert len(stored) == 2


@pytest.mark.asyncio
async def test_an_alert_waits_for_an_index_to_be_mended_and_the_reason_is_reported():
    unusable = IndexUnusable("elasticsearch", "index alerts lacks a field", "alerts")
    store = Store([unusable, AccessDenied("elasticsearch", "the role was changed"), unusable])
    reported = []
    async with running(store, lambda *given: reported.append(given)) as (archive, stored):
        archive.put(alert(), 1)
        await settled()
    assert store.written == [("triage-1", 1, 1)]
    assert len(stored) == 1
    assert reported == [("test", unusable), ("test", unusable), ("test", None)]


@pytest.mark.asyncio
async def test_an_unexpected_error_is_logged_and_neither_loses_the_alert_nor_ends_the_archive(capsys):
    store = Store([ZeroDivisionError("odd"), ZeroDivisionError("odd")])
    async with running(store) as (archive, stored):
        archive.put(alert("triage-1"), 1)
        archive.put(alert("triage-2"), 1)
        await settled()
        archive.put(alert("triage-3"), 1)
        await settled()
    assert [key for key, _, _ in store.written] == ["triage-1", "triage-2", "triage-3"]
    assert len(stored) == 3
    said = capsys.readouterr().out
    assert said.count("] alert_not_stored ") == 2
    assert "Traceback" in said


@pytest.mark.asyncio
async def test_an_alert_that_is_dropped_while_its_writing_fails_is_not_tried_again():
    gate = asyncio.Event()

    async def write(found, version):
        await gate.wait()
        raise Unavailable("elasticsearch", "down")

    async with running(write) as (archive, stored):
        archive.put(alert("triage-1"), 1)
        await asyncio.sleep(0)
        archive.drop({"triage-1"})
        gate.set()
        await settled()
        assert archive.pending == 0
    assert stored == []


@pytest.mark.asyncio
async def test_the_index_gets_the_dedup_key_as_id_and_the_version():
    server = ScriptedServer(lambda sent: (201, {"result": "created"}))
    settings = ElasticsearchSettings(url=server.url, alerts_index="alerts")
    client = connect(settings)
    await IndexWriter(client, settings)(alert(), 42)
    (sent,) = server.sent
    assert sent.method == "PUT"
    assert sent.path == "/alerts/_doc/triage-1?version=42&version_type=external_gte"
    assert json.loads(sent.body)["negative"] == 1
    client.close()
    server.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "error"), [(409, None), (503, Unavailable), (400, IndexUnusable)])
async def test_a_newer_version_in_the_index_is_success(status, error):
    server = ScriptedServer(lambda sent: (status, {"error": {"type": "x", "reason": "y"}, "status": status}))
    settings = ElasticsearchSettings(url=server.url)
    client = connect(settings)
    with pytest.raises(error) if error else contextlib.nullcontext():
        await IndexWriter(client, settings)(alert(), 1)
    client.close()
    server.close()
