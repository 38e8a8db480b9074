"""Measures the costs of a record on this machine with the configured model.

Costs that need Kafka, Elasticsearch or a GPU stay at their defaults.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from triage.clock import Clock
from triage.config import Settings
from triage.decoding import DecodeError, decoded
from triage.errors import ConfigError
from triage.inference.model import OnnxModel
from triage.metrics import Metrics
from triage.pipeline.batch import Batch, ConsumedMessage
from triage.pipeline.dead_letters.factory import DeadLetterFactory
from triage.pipeline.stages.decode import DecodeStage
from triage.pipeline.stages.enrich import Enricher
from triage.redaction import Redactor
from triage.rules import load_rules
from triage.sizing.capacity import Costs
from triage.types import Channel, Model, Position, Prediction

_TOPIC = "measured"
# Kafka's client (fetch, produce, transaction): the difference between both runs of `make bench NAME=pipe`.
_KAFKA_US = 50.0


def read_costs(path: Path) -> Costs:
    """Read costs from a JSON file. Raises ConfigError if it cannot be read or is not a file of costs."""
    try:
        costs: Costs = decoded(msgspec.json.decode, path.read_bytes(), type=Costs)
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}") from error
    except DecodeError as error:
        raise ConfigError(
            f"{path} is not a file of costs ({error}); make one with `triage plan --measure {path}`"
        ) from error
    return costs


def measure_costs(settings: Settings, payloads: Sequence[bytes], clock: Clock) -> Costs:
    """Measure the costs of one record by processing raw records (`payloads`) without Kafka and Elasticsearch.

    They are processed twice: with the model, and with its recorded predictions to measure everything else. `model_us`
    is the time of one core: elapsed time multiplied by the number of cores that the model may use. Raises ModelError if
    the model cannot be loaded, ConfigError if the rules are invalid or no record is valid.
    """
    model = OnnxModel.load(settings.model)
    recording = _RecordingModel(model)
    bodies = _run(settings, payloads, recording, clock)
    replaying = _ReplayingModel(model, recording.predictions)
    # Processor time: on a busy machine elapsed time depends on the other processes.
    started = time.process_time()
    again = _run(settings, payloads, replaying, clock)
    pipe_us = (time.process_time() - started) / len(again) * 1e6 + _KAFKA_US
    cores = settings.model.threads or _cores()
    return Costs(
        pipe_us=round(pipe_us, 1),
        model_us=round(recording.seconds * cores / len(bodies) * 1e6, 1),
        raw_bytes=round(sum(map(len, payloads)) / len(payloads)),
        enriched_bytes=round(sum(len(body) for body in bodies) / len(bodies)),
        source=f"measured with {model.version} on {cores} cores; Kafka, Elasticsearch and GPU estimated",
    )


def _run(settings: Settings, payloads: Sequence[bytes], model: Model, clock: Clock) -> list[bytes]:
    metrics, redactor = Metrics(), Redactor(settings.redaction)
    dead_letter_factory = DeadLetterFactory(redactor, clock, metrics)
    decode = DecodeStage(settings.worker, {_TOPIC: Channel.COMPLAINT}, dead_letter_factory, clock, metrics)
    # Copies in the sample would hide what a text costs that is new.
    worker = settings.worker.model_copy(update={"cached_predictions": 0})
    enricher = Enricher(model, redactor, load_rules(settings.rules.path), worker, clock)
    now, bodies = clock.now_ms(), []
    for first in range(0, len(payloads), settings.worker.max_batch_records):
        part = payloads[first : first + settings.worker.max_batch_records]
        batch = Batch([ConsumedMessage(Position(_TOPIC, 0, first + n), now, payload) for n, payload in enumerate(part)])
        decode.process(batch)
        bodies += [item.body for item in enricher.enrich(batch.validated)]
    if not bodies:
        raise ConfigError("none of the records to measure with is valid")
    return bodies


class _RecordingModel:
    """A model that records its predictions and the time that they took."""

    def __init__(self, model: Model) -> None:
        self.version, self.taxonomy, self.languages = model.version, model.taxonomy, model.languages
        self._model = model
        self.predictions: dict[str, Prediction] = {}
        self.seconds = 0.0

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        started = time.perf_counter()
        predictions = self._model.predict(texts)
        self.seconds += time.perf_counter() - started
        self.predictions.update(zip(texts, predictions, strict=True))
        return predictions


class _ReplayingModel:
    """A model that returns recorded predictions, at no cost."""

    def __init__(self, model: Model, predictions: dict[str, Prediction]) -> None:
        self.version, self.taxonomy, self.languages = model.version, model.taxonomy, model.languages
        self._predictions = predictions

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._predictions[text] for text in texts]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
