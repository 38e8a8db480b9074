"""Figures of an exported model on the test splits, through the very code that serves it (no torch)."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from triage.config import ModelSettings
from triage.inference.model import OnnxModel
from triage.training.corpus import read_split
from triage.training.examples import Example
from triage.training.labels import SENTIMENTS, Taxonomy, load_taxonomy
from triage.training.own import project_texts
from triage.training.scoring import calibration_error, classification, span_scores
from triage.training.sources import Source, load_sources
from triage.types import Prediction

CHUNK = 256
Metrics = dict[str, Any]
Progress = Callable[[str, int, int], None]
"""Called with the pack, the texts done and the texts in all."""


def evaluate_model(
    folder: Path,
    data: Path | None,
    *,
    sources_file: Path | None = None,
    taxonomy_file: Path | None = None,
    own: dict[str, list[Example]] | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Run the model in `folder` on the test split of every pack under `data`, and on `own` texts.

    `limit` takes only so many texts of a pack, evenly spread. Without `own` the project's validation texts
    stand in as pack `own_validation`. The result has `packs`: by pack and head the figures. Raises ModelError,
    ConfigError or TrainingError.
    """
    taxonomy = load_taxonomy(taxonomy_file)
    settings = ModelSettings(path=folder, device="cpu", max_tokens=512)
    model = OnnxModel.load(settings)
    packs: dict[str, Any] = {}
    for name, examples in _packs(data, load_sources(taxonomy, sources_file), taxonomy, own).items():
        chosen = _spread(examples, limit)
        packs[name] = evaluate_pack(model, chosen, taxonomy, lambda n, p=name: progress and progress(p, *n))  # type: ignore[misc]
    return {"model": model.version, "taxonomy": model.taxonomy, "max_tokens": 512, "limit": limit, "packs": packs}


def evaluate_pack(
    model: OnnxModel,
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    progress: Callable[[tuple[int, int]], object] = lambda _: None,
) -> dict[str, Any]:
    """Figures of each head that the examples have labels for."""
    predictions: list[Prediction] = []
    for first in range(0, len(examples), CHUNK):
        predictions += model.predict([example.text for example in examples[first : first + CHUNK]])
        progress((len(predictions), len(examples)))
    pairs = list(zip(examples, predictions, strict=True))
    result: dict[str, Any] = {}
    intents = [(e.intent, p.intents[0]) for e, p in pairs if e.intent]
    if intents:
        result["intent"] = _labels(intents, taxonomy.intents)
    sentiments = [(e.sentiment, max(p.sentiment.items(), key=lambda item: item[1])) for e, p in pairs if e.sentiment]
    if sentiments:
        result["sentiment"] = _labels(sentiments, SENTIMENTS)
    tagged = [(e, p) for e, p in pairs if e.entities is not None]
    if tagged:
        gold = [[(span.start, span.end, span.label) for span in e.entities or ()] for e, _ in tagged]
        # What a corpus never annotates cannot be called wrong in it.
        guess = [[(s.start, s.end, s.label) for s in p.spans if s.label in e.known_types] for e, p in tagged]
        result["entities"] = {
            "texts": len(tagged),
            "entities": sum(map(len, gold)),
            **_rounded(span_scores(gold, guess)),
        }
    return result


def _labels(rows: Sequence[tuple[str, tuple[str, float]]], labels: Sequence[str]) -> dict[str, Any]:
    index = {label: position for position, label in enumerate(labels)}
    gold = [index[label] for label, _ in rows]
    guess = [index[label] for _, (label, _) in rows]
    confidence = [probability for _, (_, probability) in rows]
    figures = classification(gold, guess, len(labels))
    figures["ece"] = calibration_error(confidence, [a == b for a, b in zip(gold, guess, strict=True)])
    return {"texts": len(rows), **_rounded(figures)}


def _packs(
    data: Path | None, sources: Sequence[Source], taxonomy: Taxonomy, own: dict[str, list[Example]] | None
) -> dict[str, list[Example]]:
    packs = {source.name: read_split(data, source, "test") for source in sources} if data else {}
    packs |= own if own is not None else {"own_validation": project_texts("validation", taxonomy)}
    return {name: examples for name, examples in packs.items() if examples}


def _spread(examples: Sequence[Example], limit: int | None) -> Sequence[Example]:
    if limit is None or len(examples) <= limit:
        return examples
    return [examples[index * len(examples) // limit] for index in range(limit)]


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in figures.items()}
