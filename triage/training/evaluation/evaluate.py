"""Figures of an exported model on every test set, through the very code that serves it (no torch)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from triage.config import ModelSettings
from triage.errors import ConfigError, TrainingError
from triage.inference.language import identify
from triage.inference.model import OnnxModel
from triage.training.data.datasets import committed_folder, read_rows
from triage.training.data.examples import Example
from triage.training.data.labels import Taxonomy, load_taxonomy
from triage.training.data.training_sets import load_sources
from triage.training.evaluation.goals import compare
from triage.training.evaluation.metrics import label_details, labels_of, overall_figures, set_figures
from triage.training.evaluation.predictions import LABEL_HEADS, Predictions, Progress, answers, judge
from triage.training.evaluation.robustness import read_pairs, robustness
from triage.training.evaluation.scope import scope_figures
from triage.training.evaluation.selective_prediction import abstention
from triage.training.evaluation.sets import EvalSet, Row, own_file, own_sets, pack_sets
from triage.training.evaluation.slices import slice_figures

MAX_TOKENS = 512
_LANGUAGE_TEXTS = 500
_OUT_OF_SCOPE = ("en/clinc150/test.jsonl.gz", "oos")
Metrics = dict[str, Any]


def evaluate_model(
    settings: ModelSettings,
    data: Path | None = None,
    *,
    sources_file: Path | None = None,
    taxonomy_file: Path | None = None,
    own: dict[str, list[Example]] | None = None,
    only: Sequence[str] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Run the model of `settings` on the committed test splits and the project's own test sets.

    `data` is a folder of packs, measured whole where it has them. `own` texts take the place of everything that
    the project brings (packs under `data` are still measured). `only` names the sets to run, `limit` takes so many
    texts of each, evenly spread. The result has `packs` (by set and head the figures), `overall` (all sets together),
    `goals`, `robustness`, `out_of_scope`, `language`, `slices`, `abstention`, `missing` and, for plots, `details`.
    Raises ModelError, ConfigError or TrainingError.
    """
    taxonomy = load_taxonomy(taxonomy_file)
    sets, missing = _sets(data, sources_file, taxonomy, own)
    known = [*(one.name for one in sets), *(() if own else ("robustness", "out_of_scope", "language"))]
    if unknown := sorted(set(only) - set(known)):
        raise ConfigError(f"no test set is named {', '.join(unknown)}; there are {', '.join(known)}")
    model = OnnxModel.load(settings.model_copy(update={"max_tokens": MAX_TOKENS}))
    _check_labels(model, taxonomy)
    chosen = [one.spread(limit) for one in sets if not only or one.name in only]
    judged = {one.name: judge(model, one.name, one.rows, progress) for one in chosen}
    everything = [one for rows in judged.values() for one in rows]
    packs = {name: set_figures(rows, taxonomy, model.manifest.aspects) for name, rows in judged.items()}
    overall = overall_figures(packs, everything, taxonomy, model.manifest.aspects)
    metrics: Metrics = {
        "model": model.version,
        "taxonomy": model.taxonomy,
        "max_tokens": MAX_TOKENS,
        "limit": limit,
        "packs": packs,
        "overall": overall,
        "missing": [asdict(one) for one in missing if not only],
        "slices": slice_figures(everything, taxonomy),
        "abstention": _abstention(judged, everything, model, taxonomy),
    }
    if not own:
        metrics["goals"] = [] if only else compare(packs, overall)
        metrics |= _special(model, taxonomy, chosen, only, limit, progress)
    metrics["details"] = _details(everything, taxonomy)
    return metrics


def _sets(
    data: Path | None, sources_file: Path | None, taxonomy: Taxonomy, own: dict[str, list[Example]] | None
) -> tuple[list[EvalSet], list[Any]]:
    if own:
        mine = [EvalSet(name, [Row(example) for example in examples]) for name, examples in own.items()]
        if data is None:
            return mine, []
        packs, missing = pack_sets(load_sources(taxonomy, sources_file), data)
        return [*packs, *mine], missing
    if data is not None and not data.is_dir():
        raise ConfigError(f"no folder at {data} (--data); it must hold the packs, as docs/data.md lists them")
    if data is None:
        committed_folder()  # says where it looked
    packs, missing = pack_sets(load_sources(taxonomy, sources_file), data)
    return [*packs, *own_sets(taxonomy)], missing


def _check_labels(model: OnnxModel, taxonomy: Taxonomy) -> None:
    manifest = model.manifest
    if strange := sorted(set(manifest.intents) ^ set(taxonomy.intents)):
        raise TrainingError(
            f"{model.version} and the taxonomy don't have the same intents ({', '.join(strange)}); "
            "give the taxonomy that it was trained with (--taxonomy)"
        )


def _abstention(
    judged: dict[str, list[Predictions]], everything: list[Predictions], model: OnnxModel, taxonomy: Taxonomy
) -> dict[str, Any]:
    """By head: over all sets together (`all`), and by set without the curve."""
    found: dict[str, Any] = {}
    for head in LABEL_HEADS:
        threshold = model.manifest.low_confidence[head]
        by_set = {}
        for name, rows in judged.items():
            said = answers(rows, head, labels_of(head, taxonomy))
            if said is not None:
                by_set[name] = abstention(said, threshold)
                del by_set[name]["curve"]
        said = answers(everything, head, labels_of(head, taxonomy))
        if said is not None:
            found[head] = {"all": abstention(said, threshold), "sets": by_set}
    return found


def _special(
    model: OnnxModel,
    taxonomy: Taxonomy,
    sets: Iterable[EvalSet],
    only: Sequence[str],
    limit: int | None,
    progress: Progress | None,
) -> Metrics:
    found: Metrics = {}
    if not only or "robustness" in only:
        pairs = read_pairs(own_file("robustness"), taxonomy)
        found["robustness"] = robustness(model, pairs, limit, _named(progress, "robustness"))
    if not only or "out_of_scope" in only:
        found["out_of_scope"] = {
            name: scope_figures(model, texts[:limit]) for name, texts in _out_of_scope_texts().items()
        }
    if not only or "language" in only:
        found["language"] = _language_figures(sets)
    return found


def _out_of_scope_texts() -> dict[str, list[str]]:
    name, label = _OUT_OF_SCOPE
    own = read_rows(own_file("out_of_scope"))
    return {
        "clinc150": [row["text"] for row in read_rows(committed_folder() / name) if row["label"] == label],
        **{f"own_{code}": [row["text"] for row in own if row["language"] == code] for code in ("en", "zh")},
    }


def _language_figures(sets: Iterable[EvalSet]) -> dict[str, Any]:
    """Accuracy of the offline language identification by set, on at most 500 texts of each."""
    found = {}
    for one in sets:
        rows = [row for row in one.spread(_LANGUAGE_TEXTS).rows if row.language]
        if rows:
            right = sum(identify(row.example.text).code == row.language for row in rows)
            found[one.name] = {"texts": len(rows), "accuracy": round(right / len(rows), 4)}
    return found


def _details(everything: list[Predictions], taxonomy: Taxonomy) -> Metrics:
    found = {}
    for head in LABEL_HEADS:
        said = answers(everything, head, labels_of(head, taxonomy))
        if said is not None:
            found[head] = label_details(said)
    return found


def _named(progress: Progress | None, name: str) -> Callable[[int, int], None]:
    return (lambda done, total: progress(name, done, total)) if progress else (lambda *_: None)
