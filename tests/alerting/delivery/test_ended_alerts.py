"""Assessments of and comments on ended alerts reach their stored documents, once, however often they are put."""

import asyncio
import contextlib

import msgspec
import pytest
from alerts import ALERT

from triage.alerting.delivery.ended_alerts import EndedAlerts
from triage.alerting.lifecycle.assessments import Assessments
from triage.alerting.lifecycle.comments import Comments
from triage.errors import AccessDenied, Unavailable
from triage.schemas.action import Comment, Judge
from triage.schemas.alert import Alert


def judge(key, verdict, at_ms=1):
    return Judge(id="j", actor="Kim", at_ms=at_ms, dedup_key=key, verdict=verdict)


async def settled():
    for _ in range(500):
        await asyncio.sleep(0)


class Index:
    """Alerts by key, all of version 7; `failures` are raised in turn by the next reads and writes."""

    def __init__(self, *keys):
        self.alerts = {key: msgspec.convert(ALERT | {"dedup_key": key}, Alert) for key in keys}
        self.written, self.asked, self.failures = [], [], []

    async def read(self, keys):
        await asyncio.sleep(0)
        self._fail()
        self.asked.append(len(keys))
        return [(7, self.alerts[key]) for key in keys if key in self.alerts]

    async def write(self, found, version):
        self._fail()
        self.alerts[found.dedup_key] = found
        self.written.append((found.dedup_key, found.assessment and found.assessment.verdict, version))

    def _fail(self):
        if self.failures:
            raise self.failures.pop(0)


@contextlib.asynccontextmanager
async def running(assessments, index, comments=None):
    async def sleep(seconds):
        await asyncio.sleep(0)

    archive = EndedAlerts(assessments, comments or Comments(), index.read, [index.write], sleep)
    task = asyncio.create_task(archive.run())
    yield archive
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
async def test_a_judgement_is_written_once_changed_and_withdrawn():
    assessments, index = Assessments([judge("a", "right")]), Index("a", "b")
    async with running(assessments, index) as archive:
        for _ in range(2):
            archive.put(["a", "b", "gone"])
            await settled()
        assessments.put(judge("a", "false", 2))
        archive.put(["a"])
        await settled()
        assessments.put(judge("a", "withdrawn", 3))
        archive.put(["a"])
        await settled()
    assert index.written == [("a", "right", 7), ("a", "false", 7), ("a", None, 7)]
    assert "assessment" not in msgspec.to_builtins(index.alerts["a"]), "erased with its author and note"


@pytest.mark.asyncio
async def test_an_outage_is_waited_for_and_a_refusal_does_not_stop_the_next():
    assessments = Assessments([judge("a", "right"), judge("b", "false")])
    index = Index("a", "b")
    index.failures = [Unavailable("elasticsearch", "down")] * 2
    async with running(assessments, index) as archive:
        archive.put(["a"])
        await settled()
        index.failures = [AccessDenied("elasticsearch", "no read on alerts")]
        archive.put(["a"])
        await settled()
        archive.put(["b"])
        await settled()
    assert index.written == [("a", "right", 7), ("b", "false", 7)]


@pytest.mark.asyncio
async def test_a_month_of_assessments_is_read_in_chunks_and_dropped_with_the_partition():
    keys = [f"k{number}" for number in range(450)]
    index = Index(*keys)
    async with running(Assessments([judge(key, "right") for key in keys]), index) as archive:
        archive.put(keys)
        await settled()
        archive.put(keys)
        archive.drop()
        await settled()
    assert index.asked == [200, 200, 50]
    assert len(index.written) == 450


@pytest.mark.asyncio
async def test_a_comment_on_an_ended_alert_joins_its_history_once_and_one_on_a_firing_alert_is_its_engines():
    index, comments = Index("ended", "firing"), Comments()
    index.alerts["ended"] = msgspec.structs.replace(index.alerts["ended"], status="resolved", history=[])
    for number, key in enumerate(("ended", "firing", "ended")):
        comments.put(Comment(id=f"c{number}", actor="Kim", at_ms=9 - number, dedup_key=key, comment=f"said {number}"))
    async with running(Assessments(), index, comments) as archive:
        for _ in range(2):
            archive.put(comments.keys())
            await settled()
    assert [entry.comment for entry in index.alerts["ended"].history] == ["said 2", "said 0"], "in the order of time"
    assert index.written == [("ended", None, 7)]
    assert comments.of("elsewhere") == []
