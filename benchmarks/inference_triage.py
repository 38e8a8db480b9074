"""The engine of triage on every installed runtime, and its profile."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.inference_labels import Contender, Labels, labels_of
from benchmarks.report import Row
from triage.config import ModelSettings
from triage.errors import TriageError
from triage.inference.batching import Batch, fill_ratio, plan_batches
from triage.inference.heads import Heads, concatenate
from triage.inference.manifest import MODEL_FILE, TOKENIZER_FILE, read_manifest
from triage.inference.model import OnnxModel
from triage.inference.runtime import Logits
from triage.inference.session import open_session
from triage.inference.tokenization import TextTokenizer, Tokenized
from triage.metrics import Metrics
from triage.types import Prediction

RUNTIMES = (
    ("cuda", "fp16"),
    ("cuda", "fp32"),
    ("cpu", "fp32"),
    ("openvino", "fp32"),
    ("openvino", "bf16"),
    ("openvino", "int8"),
)


def contenders(folder: Path, threads: int, skipped: dict[str, str]) -> Iterator[Contender]:
    """Contenders for the runtimes that can be loaded; the others are added to `skipped` with the reason."""
    chosen = open_session(folder / MODEL_FILE, ModelSettings(path=folder, threads=threads))
    for device, precision in RUNTIMES:
        settings = ModelSettings(path=folder, threads=threads, device=device, precision=precision)
        name = f"triage: {'OpenVINO' if device == 'openvino' else 'ONNX Runtime ' + device} {precision}"
        try:
            metrics = Metrics()
            model = OnnxModel.load(settings, metrics)
        except TriageError as error:
            skipped[name] = str(error).split(":")[0]
            continue
        about = model.describe()
        if (about["runtime"], about["precision"]) == (chosen.runtime, chosen.precision):
            name += " (default here)"

        def classify(texts: Sequence[str], model: OnnxModel = model) -> list[Labels]:
            return [labels_of(prediction) for prediction in model.predict(texts)]

        def fill(metrics: Metrics = metrics) -> float:
            return metrics.registry.get_sample_value("triage_batch_fill_ratio") or 0.0

        yield Contender(name, classify, fill=fill)


def profile(folder: Path, threads: int, texts: Sequence[str], rounds: int) -> list[Row]:
    """Rows of the time of the default engine's steps on one thread, in microseconds per text."""
    manifest = read_manifest(folder)
    session = open_session(folder / MODEL_FILE, ModelSettings(path=folder, threads=threads, streams=1))
    tokenizer = TextTokenizer(folder / TOKENIZER_FILE, max_tokens=256, pad_id=manifest.pad_id, prefix=manifest.prefix)
    heads = Heads(manifest)
    spent: dict[str, list[float]] = {"tokenize": [], "plan and pad": [], "model": [], "logits to labels": []}
    for _ in range(rounds + 1):
        times = dict.fromkeys(spent, 0.0)
        clock = _Stopwatch(times)
        tokenized = tokenizer.encode(texts)
        clock.lap("tokenize")
        batches = plan_batches(tokenized.lengths, session.batch_tokens, widths=session.widths)
        clock.lap("plan and pad")
        parts = []
        for batch in batches:
            ids, mask = tokenizer.pad(tokenized, *batch)
            clock.lap("plan and pad")
            logits = session.run(ids, mask).first(len(batch.indices))
            clock.lap("model")
            parts.append(heads.without_padding(logits, mask[: len(batch.indices)]))
            clock.lap("logits to labels")
        decode(heads, parts, batches, tokenized, texts)
        clock.lap("logits to labels")
        for name, seconds in times.items():
            spent[name].append(1e6 * seconds / len(texts))
    fill = fill_ratio(tokenized.lengths, batches)
    rows = [Row.of(f"profile: {name}", "us/text", values[1:]) for name, values in spent.items()]
    return [*rows, Row.of("profile: useful tokens of all computed", "%", [100 * fill])]


def decode(
    heads: Heads, parts: Sequence[Logits], batches: Sequence[Batch], tokenized: Tokenized, texts: Sequence[str]
) -> list[Prediction]:
    """Predictions in the order of `texts`, decoded from the logits of all batches as the engine does."""
    order = np.concatenate([batch.indices for batch in batches])
    found = heads.decode(
        concatenate(parts),
        tokenized.lengths[order],
        [texts[index] for index in order.tolist()],
        tokenized.truncated[order].tolist(),
        lambda row: tokenized.offsets(order[row]),
    )
    return [found[place] for place in np.argsort(order).tolist()]


class _Stopwatch:
    def __init__(self, times: dict[str, float]) -> None:
        self._times = times
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._times[name] += now - self._last
        self._last = now
