"""Traces: spans per batch and stage, linked to the senders' contexts; no texts in them, and nothing while off."""

import asyncio
import subprocess
import sys
import threading

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from worker_rig import Rig

from triage import tracing
from triage.config import TracingSettings
from triage.errors import Unavailable
from triage.metrics import Metrics
from triage.serving.batcher import MicroBatcher

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENDER = (("traceparent", f"00-{TRACE}-{SPAN}-01".encode()),)


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    stop = tracing.start(TracingSettings(enabled=True), "test", exporter)
    yield exporter.get_finished_spans
    stop()


def by_name(spans):
    return {span.name: span for span in spans()}


def test_nothing_is_recorded_or_propagated_while_off():
    code = (
        "import sys; from triage import tracing; from triage.config import TracingSettings;"
        "tracing.start(TracingSettings(), 'x')();"
        f"sender = {SENDER!r}; assert tracing.remote(sender) is None and tracing.remotes([sender]) == [];\n"
        "with tracing.span('a', records=1) as span: assert not span.is_recording() and tracing.headers() == []\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry.sdk')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_batch_is_a_span_linked_to_its_senders_and_its_stages_are_below_it(spans):
    rig = Rig()
    for headers in (SENDER, (), (("traceparent", b"broken"),)):
        rig.source.append("feedback.complaints", b'{"text": "secret words"}', timestamp_ms=1, headers=headers)
    sent = []
    commit = rig.source.commit
    rig.source.commit = lambda *given: (sent.append(tracing.headers()), commit(*given))[1]
    rig.run()
    found = by_name(spans)
    batch = found["process batch"]
    assert [f"{link.context.trace_id:032x}" for link in batch.links] == [TRACE]
    assert batch.attributes["triage.records"] == 3
    stages = {"decode", "enrich", "index", "publish"}
    assert stages <= set(found)
    for name in stages:
        assert found[name].parent.span_id == batch.context.span_id
    published = [headers for headers in sent if headers]
    assert published
    assert f"{found['publish'].context.span_id:016x}" in published[0][0][1].decode()
    assert "secret" not in str([span.to_json() for span in spans()])


def test_batches_without_records_are_not_traced(spans):
    Rig().run()
    assert spans() == ()


def test_a_failure_marks_the_span_by_its_type_alone(spans):
    with pytest.raises(Unavailable), tracing.span("index"):
        raise Unavailable("elasticsearch", "secret words")
    (span,) = spans()
    assert span.status.is_ok is False
    assert span.attributes["error.type"] == "Unavailable"
    assert "secret" not in span.to_json()


def test_a_span_of_another_thread_is_the_parent(spans):
    batch = tracing.begin("batch")

    def work():
        with tracing.span("stage", parent=batch):
            pass

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    tracing.end(batch)
    found = by_name(spans)
    assert found["stage"].parent.span_id == found["batch"].context.span_id


def test_links_are_few_and_different(spans):
    many = [[("traceparent", f"00-{TRACE}-{number:016x}-01".encode())] for number in (*range(1, 100), 1, 2)]
    assert len(tracing.remotes(many)) == tracing.MAX_LINKS
    assert len(tracing.remotes([*many[:1], *many[-2:]])) == 2


def test_the_share_of_traces_that_begin_here_can_be_none():
    exporter = InMemorySpanExporter()
    stop = tracing.start(TracingSettings(enabled=True, sample_ratio=0), "test", exporter)
    try:
        with tracing.span("a"):
            flags = int(tracing.headers()[0][1].rpartition(b"-")[2], 16)
            assert flags & 1 == 0, "the next service has to see the decision, too"
        with tracing.span("b", parent=tracing.remote(SENDER)):
            pass
        assert [span.name for span in exporter.get_finished_spans()] == ["b"]
    finally:
        stop()


def test_a_micro_batch_is_linked_to_the_requests_in_it(spans):
    async def served():
        batcher = MicroBatcher(list, Metrics(), batch_records=8, wait_s=0.01, queue_records=8)
        batcher.start()

        async def request():
            with tracing.span("POST /v1/enrich", parent=tracing.remote(SENDER), kind="server"):
                await batcher.enrich([1])

        await asyncio.gather(request(), request())
        await batcher.stop()

    asyncio.run(served())
    (enrich,) = [span for span in spans() if span.name == "enrich"]
    requests = [span for span in spans() if span.name == "POST /v1/enrich"]
    assert {link.context.span_id for link in enrich.links} == {span.context.span_id for span in requests}
    assert {f"{span.context.trace_id:032x}" for span in requests} == {TRACE}
