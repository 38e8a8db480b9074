"""`python -m benchmarks.pipe_stages`: processor time of each step of the pipeline, without model, Kafka and index.

A step is run on all records before the next one, in batches of 500, on one thread; the least and the median of the
rounds are shown, because other programs on the machine only add to them. The sum is less than what `benchmarks.pipe`
shows for a worker, whose threads displace one another from the processor's cache.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from benchmarks.broker import sample_records
from benchmarks.pipe import ConstantModel
from benchmarks.report import Row, publish
from triage.body import plain_text, read_body
from triage.clock import SystemClock
from triage.config import load_settings
from triage.inference.language import identify, preload
from triage.inference.politeness import with_demand
from triage.inference.ratings import with_rating
from triage.metrics import Metrics
from triage.pipeline.batch import Batch
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.memory_source import MemorySource
from triage.pipeline.publisher import Publisher
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import Enricher, EnrichStage
from triage.pipeline.window_counts.watermarks import PartitionWatermarks
from triage.redaction import Redactor
from triage.rules import facts_of, load_rules
from triage.runtime.memory import collect_seldom
from triage.types import Channel

_BATCH = 500
_T = TypeVar("_T")


class _Steps:
    """The pipeline's steps on the same records; `seconds` has the processor time of each in this round, by name."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self._payloads = payloads
        self._settings, self._clock, self._metrics = load_settings(), SystemClock(), Metrics()
        self._redactor, self._rules = Redactor(self._settings.redaction), load_rules(None)
        enricher = Enricher(ConstantModel(), self._redactor, self._rules, self._settings.worker, self._clock)
        self._enrich = EnrichStage(enricher, self._metrics)
        letters = DeadLetterFactory(self._redactor, self._clock, self._metrics)
        self._topic = self._settings.kafka.topic("complaints")
        channels = {self._topic: Channel.COMPLAINT}
        self._decode = DecodeStage(self._settings.worker, channels, letters, self._clock, self._metrics)
        self.seconds: dict[str, float] = {}

    def _timed(self, name: str, step: Callable[[], _T]) -> _T:
        started = time.thread_time()
        result = step()
        self.seconds[name] = time.thread_time() - started
        return result

    def run(self) -> dict[str, float]:
        """Run all steps once; returns the processor time of each in µs a record."""
        source, batches = MemorySource(), []
        for payload in self._payloads:
            source.append(self._topic, payload, timestamp_ms=self._clock.now_ms())
        while polled := source.poll(0, _BATCH):
            batches.append(Batch(polled))
        self._timed("decode", lambda: list(map(self._decode.process, batches)))
        self._timed("enrich, all of it", lambda: list(map(self._enrich.process, batches)))
        self._parts_of_enriching(batches)
        publisher = Publisher(
            self._settings.kafka, self._settings.alerting, PartitionWatermarks(self._clock), self._metrics
        )
        self._timed("window counts, messages", lambda: list(map(partial(publisher.publish, source), batches)))
        return {name: seconds / len(self._payloads) * 1e6 for name, seconds in self.seconds.items()}

    def _parts_of_enriching(self, batches: Sequence[Batch]) -> None:
        raws = [item.raw for batch in batches for item in batch.validated]
        records = [item.record for batch in batches for item in batch.enriched]
        texts = [plain_text(raw.text) for raw in raws]
        authors = [raw.author_id for raw in raws]
        redacted = self._timed("enrich: redaction of texts", lambda: self._redactor.redact_all(texts, authors))
        shown = [item.text for item in redacted]
        self._timed("enrich: body", lambda: [read_body(text) for text in shown])
        self._timed("enrich: language", lambda: [identify(text) for text in shown])
        scale = self._settings.worker.rating_scale
        given = {"negative": 0.1, "neutral": 0.8, "positive": 0.1}
        self._timed(
            "enrich: ratings and demands, of neutral texts",
            lambda: [
                with_demand(with_rating(given, text, raw.rating, scale), text)
                for raw, text in zip(raws, shown, strict=True)
            ],
        )
        self._timed("enrich: rules", lambda: [self._rules.decide(facts_of(record)) for record in records])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--records", type=int, default=4_000)
    arguments = parser.parse_args()
    preload()
    collect_seldom()
    steps = _Steps([payload for _, payload in sample_records(arguments.records)])
    rounds = [steps.run() for _ in range(arguments.rounds)]
    publish("pipe_stages", [Row.of(name, "µs/record", [each[name] for each in rounds]) for name in rounds[0]])


if __name__ == "__main__":
    main()
