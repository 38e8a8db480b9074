"""Evaluates an exported model on every test set, with the code that serves it. Imported without torch."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from triage.config import ModelSettings
from triage.errors import ConfigError, TrainingError
from triage.inference.language import identify
from triage.inference.model import OnnxModel
from triage.training.data.datasets import committed_folder, packed_file, read_rows
from triage.training.data.examples import Example
from triage.training.data.labels import RESOURCES, Taxonomy, load_taxonomy
from triage.training.data.training_sets import load_training_sets
from triage.training.evaluation.metrics import classification_details, labels_of, overall_metrics, set_metrics
from triage.training.evaluation.predictions import (
    LABEL_HEADS,
    Progress,
    RowPrediction,
    head_predictions,
    predict_rows,
)
from triage.training.evaluation.robustness import read_pairs, robustness, scope_metrics
from triage.training.evaluation.selective_prediction import selective_prediction
from triage.training.evaluation.sets import EvalSet, MissingSet, Row, dataset_sets, project_sets, project_test_file
from triage.training.evaluation.slices import slice_metrics

MAX_TOKENS = 512
_LANGUAGE_TEXTS = 500
_OUT_OF_SCOPE = ("en/clinc150/test.jsonl.gz", "oos")
_ALL_SETS = "all"
"""Name in goals.yaml of all sets together."""
Metrics = dict[str, Any]


def evaluate_model(
    settings: ModelSettings,
    data: Path | None = None,
    *,
    sources_file: Path | None = None,
    taxonomy_file: Path | None = None,
    custom: dict[str, list[Example]] | None = None,
    only: Sequence[str] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Evaluate the model of `settings` on the committed test splits and the project's own test sets.

    `data` is a folder of datasets; its complete test splits are used instead of the committed ones. `custom` has test
    sets by name that replace all committed and own sets (datasets under `data` are still evaluated). `only` names the
    sets to evaluate; `limit` is the maximum number of texts of each, evenly spaced.

    The result has `packs` (metrics by set and head), `overall` (all sets together), `goals`, `robustness`,
    `out_of_scope`, `language`, `slices`, `abstention` (selective prediction), `missing` (sets that are not available)
    and `details` for plots. Raises ModelError, ConfigError or TrainingError.
    """
    taxonomy = load_taxonomy(taxonomy_file)
    sets, missing = _sets(data, sources_file, taxonomy, custom)
    known = [*(each.name for each in sets), *(() if custom else ("robustness", "out_of_scope", "language"))]
    if unknown := sorted(set(only) - set(known)):
        raise ConfigError(f"no test set is named {', '.join(unknown)}; there are {', '.join(known)}")
    model = OnnxModel.load(settings.model_copy(update={"max_tokens": MAX_TOKENS}))
    _check_labels(model, taxonomy)
    chosen = [each.sample(limit) for each in sets if not only or each.name in only]
    by_set = {each.name: predict_rows(model, each.name, each.rows, progress) for each in chosen}
    pooled = [each for predictions in by_set.values() for each in predictions]
    aspects = model.manifest.aspects
    sets_metrics = {name: set_metrics(predictions, taxonomy, aspects) for name, predictions in by_set.items()}
    overall = overall_metrics(sets_metrics, pooled, taxonomy, aspects)
    metrics: Metrics = {
        "model": model.version,
        "taxonomy": model.taxonomy,
        "max_tokens": MAX_TOKENS,
        "limit": limit,
        "packs": sets_metrics,
        "overall": overall,
        "missing": [asdict(each) for each in missing if not only],
        "slices": slice_metrics(pooled, taxonomy),
        "abstention": _selective_prediction(by_set, pooled, model, taxonomy),
    }
    if not custom:
        metrics["goals"] = [] if only else compare_with_goals(sets_metrics, overall)
        metrics |= _special_sets(model, taxonomy, chosen, only, limit, progress)
    metrics["details"] = _details(pooled, taxonomy)
    return metrics


def compare_with_goals(sets: Metrics, overall: Metrics) -> list[dict[str, Any]]:
    """Compare metrics with the goals in goals.yaml: `sets` by set and head, `overall` by head.

    Returns the entry of each goal whose test set was evaluated, with `value`, `interval` and whether it was
    `reached`.
    """
    goals = yaml.safe_load((RESOURCES / "goals.yaml").read_text(encoding="utf-8"))["goals"]
    found = []
    for goal in goals:
        heads = overall if goal["pack"] == _ALL_SETS else sets.get(goal["pack"], {})
        metrics = heads.get(goal["head"])
        if metrics is None:
            continue
        value = metrics[goal["figure"]]
        least, most = goal.get("at_least", 0.0), goal.get("at_most", 1.0)
        interval = metrics["interval"].get(goal["figure"])
        found.append({**goal, "value": value, "interval": interval, "reached": least <= value <= most})
    return found


def _sets(
    data: Path | None, sources_file: Path | None, taxonomy: Taxonomy, custom: dict[str, list[Example]] | None
) -> tuple[list[EvalSet], list[MissingSet]]:
    if custom:
        sets = [EvalSet(name, [Row(example) for example in examples]) for name, examples in custom.items()]
        if data is None:
            return sets, []
        datasets, missing = dataset_sets(load_training_sets(taxonomy, sources_file), data)
        return [*datasets, *sets], missing
    if data is not None and not data.is_dir():
        raise ConfigError(f"no folder at {data} (--data); it must hold the datasets that docs/data.md lists")
    if data is None:
        committed_folder()  # raises outside a checkout
    datasets, missing = dataset_sets(load_training_sets(taxonomy, sources_file), data)
    return [*datasets, *project_sets(taxonomy)], missing


def _check_labels(model: OnnxModel, taxonomy: Taxonomy) -> None:
    manifest = model.manifest
    if different := sorted(set(manifest.intents) ^ set(taxonomy.intents)):
        raise TrainingError(
            f"{model.version} and the taxonomy don't have the same intents ({', '.join(different)}); "
            "give the taxonomy that it was trained with (--taxonomy)"
        )


def _selective_prediction(
    by_set: dict[str, list[RowPrediction]], pooled: list[RowPrediction], model: OnnxModel, taxonomy: Taxonomy
) -> dict[str, Any]:
    """By head: `all` sets together, and `sets`, by set without the curve."""
    found: dict[str, Any] = {}
    for head in LABEL_HEADS:
        threshold = model.manifest.low_confidence[head]
        sets = {}
        for name, predictions in by_set.items():
            predicted = head_predictions(predictions, head, labels_of(head, taxonomy))
            if predicted is not None:
                sets[name] = selective_prediction(predicted, threshold)
                del sets[name]["curve"]
        predicted = head_predictions(pooled, head, labels_of(head, taxonomy))
        if predicted is not None:
            found[head] = {"all": selective_prediction(predicted, threshold), "sets": sets}
    return found


def _special_sets(
    model: OnnxModel,
    taxonomy: Taxonomy,
    sets: Iterable[EvalSet],
    only: Sequence[str],
    limit: int | None,
    progress: Progress | None,
) -> Metrics:
    found: Metrics = {}
    if not only or "robustness" in only:
        pairs = read_pairs(project_test_file("robustness"), taxonomy)
        found["robustness"] = robustness(model, pairs, limit, _progress_of(progress, "robustness"))
    if not only or "out_of_scope" in only:
        found["out_of_scope"] = {
            name: scope_metrics(model, texts[:limit]) for name, texts in _out_of_scope_texts().items()
        }
    if not only or "language" in only:
        found["language"] = _language_metrics(sets)
    return found


def _out_of_scope_texts() -> dict[str, list[str]]:
    name, label = _OUT_OF_SCOPE
    rows = read_rows(project_test_file("out_of_scope"))
    return {
        "clinc150": [row["text"] for row in read_rows(packed_file(committed_folder() / name)) if row["label"] == label],
        **{f"own_{code}": [row["text"] for row in rows if row["language"] == code] for code in ("en", "zh")},
    }


def _language_metrics(sets: Iterable[EvalSet]) -> dict[str, Any]:
    """Accuracy of the offline language identification by set, on at most 500 texts of each."""
    found = {}
    for each in sets:
        rows = [row for row in each.sample(_LANGUAGE_TEXTS).rows if row.language]
        if rows:
            correct = sum(identify(row.example.text).code == row.language for row in rows)
            found[each.name] = {"texts": len(rows), "accuracy": round(correct / len(rows), 4)}
    return found


def _details(pooled: list[RowPrediction], taxonomy: Taxonomy) -> Metrics:
    found = {}
    for head in LABEL_HEADS:
        predicted = head_predictions(pooled, head, labels_of(head, taxonomy))
        if predicted is not None:
            found[head] = classification_details(predicted)
    return found


def _progress_of(progress: Progress | None, name: str) -> Callable[[int, int], None]:
    return (lambda done, total: progress(name, done, total)) if progress else (lambda *_: None)
