"""The contenders of `benchmarks.pipeline`, one process each: `python -m benchmarks.pipeline_contenders NAME`.

All read the same topic and write documents of the same shape to an index with the same mapping. The worker of triage
works as in production: redaction, rules, counts, transactions. The others only classify and index; those with "batched"
give the model as many records at a time as triage does, which neither framework does by itself. The plan of a run is
read from standard input.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.pipeline_plan import Meter, Plan, end, say_ready

_BATCH = 256
_WAIT_S = 0.1


def worker(plan: Plan) -> None:
    """Run `triage worker`, assembled as in production, with a sink that reports each write to the Meter."""
    from benchmarks.broker import pin
    from triage.clock import SystemClock
    from triage.config import load_settings
    from triage.metrics import Metrics
    from triage.pipeline import assemble
    from triage.schemas.version import written_ms
    from triage.sinks import checked
    from triage.sinks.base import BulkResult, Document
    from triage.sinks.elasticsearch import IndexSink
    from triage.sinks.memory import MemorySink

    if plan.core is not None:
        pin({plan.core})
    meter = Meter(plan.total)

    class Timed(IndexSink):
        def write(self, documents: Sequence[Document]) -> BulkResult:
            result = null_sink.write(documents) if plan.index == "null" else super().write(documents)
            meter.acknowledged([written_ms(document.version) for document in documents])
            return result

    null_sink = MemorySink(keep=False)
    checked.IndexSink = Timed  # type: ignore[misc]
    parts = assemble.build_worker(load_settings(None, plan.flags), SystemClock(), Metrics())
    meter._done = parts.worker.stop  # noqa: SLF001 - the worker exists only now
    say_ready()
    parts.worker.run()
    parts.close()
    meter.report()


class Index:
    """The model of triage and a sink for its index, which the other contenders share."""

    def __init__(self, plan: Plan) -> None:
        from triage.config import load_settings
        from triage.elastic.client import connect
        from triage.inference.model import OnnxModel
        from triage.sinks.elasticsearch import IndexSink

        self.settings = load_settings(None, plan.flags)
        self.topic = self.settings.kafka.topic("complaints")
        self.model = OnnxModel.load(self.settings.model)
        self._sink = IndexSink(connect(self.settings.elasticsearch), self.settings.elasticsearch)
        self.meter = Meter(plan.total)

    def classify(self, records: Sequence[tuple[dict[str, Any], int]]) -> list[bytes]:
        predictions = self.model.predict([fields["text"] for fields, _ in records])
        return [
            document(
                fields,
                timestamp_ms,
                prediction.intents[0],
                max(prediction.sentiment.items(), key=lambda item: item[1]),
                [(span.label, span.start, span.end, span.confidence) for span in prediction.spans],
            )
            for (fields, timestamp_ms), prediction in zip(records, predictions, strict=True)
        ]

    def store(self, records: Sequence[tuple[dict[str, Any], int]], bodies: Sequence[bytes]) -> None:
        from triage.sinks.base import Document

        name = f"{self.settings.elasticsearch.index_prefix}-{datetime.now(UTC):%Y.%m.%d}"
        self._sink.write(
            [
                Document(fields["id"], name, timestamp_ms, body)
                for (fields, timestamp_ms), body in zip(records, bodies, strict=True)
            ]
        )
        self.meter.acknowledged([timestamp_ms for _, timestamp_ms in records])
        if self.meter.full:
            self.meter.report()
            end()


def document(
    fields: dict[str, Any],
    timestamp_ms: int,
    intent: tuple[str, float],
    sentiment: tuple[str, float],
    spans: Sequence[tuple[str, int, int, float]],
) -> bytes:
    moment = datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat()
    text = fields["text"]
    return json.dumps(
        {
            "@timestamp": moment,
            "event": {"id": fields["id"], "ingested": moment},
            "channel": "complaint",
            "text": text,
            "sentiment": {"label": sentiment[0], "confidence": round(sentiment[1], 4)},
            "intent": {"label": intent[0], "confidence": round(intent[1], 4)},
            "entities": [
                {"text": text[start:stop], "label": label, "start": start, "end": stop, "confidence": round(sure, 4)}
                for label, start, stop, sure in spans
            ],
        },
        ensure_ascii=False,
    ).encode()


def quix(plan: Plan, *, batched: bool) -> None:
    """Run Quix Streams 3: a dataframe classifies each record before a batching sink, which does both if `batched`."""
    from quixstreams import Application
    from quixstreams.sinks import BatchingSink, SinkBatch

    index = Index(plan)

    class ElasticSink(BatchingSink):  # type: ignore[misc]
        def write(self, batch: SinkBatch) -> None:
            items = list(batch)
            if batched:
                records = [(item.value, item.timestamp) for item in items]
                index.store(records, index.classify(records))
            else:
                index.store([(item.value[0], item.timestamp) for item in items], [item.value[1] for item in items])

    def classify_one(fields: dict[str, Any], key: Any, timestamp: int, headers: Any) -> tuple[dict[str, Any], bytes]:
        del key, headers
        return fields, index.classify([(fields, timestamp)])[0]

    kafka = index.settings.kafka
    app = Application(
        broker_address=kafka.bootstrap_servers,
        consumer_group=f"{kafka.topic_prefix}-quix",
        auto_offset_reset="earliest",
        commit_every=_BATCH,
        commit_interval=_WAIT_S,
        loglevel="WARNING",
    )
    frame = app.dataframe(app.topic(index.topic, value_deserializer="json"))
    if not batched:
        frame = frame.apply(classify_one, metadata=True)
    frame.sink(ElasticSink())
    say_ready()
    app.run()


def faust(plan: Plan, *, batched: bool) -> None:
    """Run a Faust agent that classifies the available records one at a time or, with `batched`, all together."""
    import faust as library

    index = Index(plan)
    kafka = index.settings.kafka
    app = library.App(
        f"{kafka.topic_prefix}-faust",
        broker=f"kafka://{kafka.bootstrap_servers}",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
    )
    topic = app.topic(index.topic, value_serializer="raw")

    def opened(event: Any) -> tuple[dict[str, Any], int]:
        return json.loads(event.value), int(event.message.timestamp * 1000)

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def classify(stream: Any) -> None:
        async for events in stream.take_events(_BATCH, within=_WAIT_S):
            records = [opened(event) for event in events]
            parts = [records] if batched else [[record] for record in records]
            index.store(records, [body for part in parts for body in index.classify(part)])

    async def forever() -> None:
        await app.start()
        await asyncio.Event().wait()

    say_ready()
    app.finalize()
    asyncio.run(forever())


def demo(plan: Plan) -> None:
    """Run the typical demo: a kafka-python loop, three pipelines one text at a time, one index call per record.

    The encoders of the pipelines have the size of the model's; their weights are random, which does not affect the
    time.
    """
    from elasticsearch import Elasticsearch
    from kafka import KafkaConsumer
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertForTokenClassification,
        PreTrainedTokenizerFast,
        pipeline,
    )

    path = plan.flags["demo.tokenizer"]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=path, pad_token="<pad>", unk_token="<unk>", model_max_length=256,
        model_input_names=["input_ids", "attention_mask"],
    )  # fmt: skip
    size = {"vocab_size": len(tokenizer), "max_position_embeddings": 512} | plan.flags["demo.encoder"]
    kinds = (("text-classification", 15), ("text-classification", 3), ("token-classification", 9))
    pipes = [
        pipeline(
            task,
            model=(BertForTokenClassification if "token" in task else BertForSequenceClassification)(
                BertConfig(num_labels=labels, **size)
            ).eval(),
            tokenizer=tokenizer,
            device="cpu",
            **({} if "token" in task else {"truncation": True, "max_length": 256}),
        )
        for task, labels in kinds
    ]
    client = Elasticsearch(plan.flags["elasticsearch.url"])
    prefix = plan.flags["kafka.topic_prefix"]
    consumer = KafkaConsumer(
        f"{prefix}.complaints",
        bootstrap_servers=plan.flags["kafka.bootstrap_servers"],
        group_id=f"{prefix}-demo",
        auto_offset_reset="earliest",
    )
    meter = Meter(plan.total)
    say_ready()
    for message in consumer:
        fields = json.loads(message.value)
        intent, sentiment, entities = (pipe(fields["text"][:2000]) for pipe in pipes)
        body = document(
            fields,
            message.timestamp,
            (intent[0]["label"], intent[0]["score"]),
            (sentiment[0]["label"], sentiment[0]["score"]),
            [(found["entity"], found["start"], found["end"], float(found["score"])) for found in entities[:5]],
        )
        client.index(index=f"{plan.flags['elasticsearch.index_prefix']}-{datetime.now(UTC):%Y.%m.%d}", id=fields["id"],
                     document=json.loads(body))  # fmt: skip
        meter.acknowledged([message.timestamp])
        if meter.full:
            meter.report()
            end()


CONTENDERS: dict[str, Callable[[Plan], None]] = {
    "triage": worker,
    "demo": demo,
    "quix": lambda plan: quix(plan, batched=False),
    "quix batched": lambda plan: quix(plan, batched=True),
    "faust": lambda plan: faust(plan, batched=False),
    "faust batched": lambda plan: faust(plan, batched=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=list(CONTENDERS))
    CONTENDERS[parser.parse_args().name](Plan.read())


if __name__ == "__main__":
    main()
