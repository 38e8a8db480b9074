"""Implements the steps of `triage train`, `export` and `parity`, and the files that each step writes."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.errors import TrainingError
from triage.inference.model_files import record_files
from triage.training.data.corpus import Corpus, load_corpus, read_split
from triage.training.data.custom import project_texts, read_custom_data
from triage.training.data.examples import Example
from triage.training.data.files import BEST, checkpoint_folder, read_json, write_json
from triage.training.data.labels import Taxonomy, load_taxonomy
from triage.training.data.training_sets import load_training_sets
from triage.training.release import commits

if TYPE_CHECKING:
    from rich.console import Console

    from triage.training.loop.options import Options
    from triage.training.release.parity import Parity

PARITY_TEXTS = 2_000
_CUSTOM_VALIDATION = 0.1
"""Share of the user's texts that is used for validation."""


def build_corpus(
    data: Path | None,
    *,
    taxonomy_file: Path | None = None,
    sources_file: Path | None = None,
    custom_file: Path | None = None,
    columns: dict[str, str] | None = None,
    project: bool = True,
    corrections: Callable[[Taxonomy], dict[str, list[Example]]] | None = None,
) -> tuple[Corpus, Taxonomy]:
    """Build the corpus and its taxonomy from the datasets under `data`, the project's own texts and custom data.

    `data` is None to use no datasets, `project` False to leave the project's texts out. `columns` names the columns of
    `custom_file` (text, intent, sentiment); a tenth of its rows, drawn with a fixed seed, is used for validation.
    `corrections` returns further examples by split. If no text has aspects, the returned taxonomy has none either.
    Raises ConfigError or TrainingError.
    """
    taxonomy = load_taxonomy(taxonomy_file)
    sources = load_training_sets(taxonomy, sources_file) if data else []
    texts: dict[str, list[Example]] = {"train": [], "validation": []}
    if project:
        try:
            texts = {split: project_texts(split, taxonomy) for split in texts}
        except TrainingError as error:
            raise TrainingError(
                f"{error}\n  (--no-project-texts leaves these out, for a taxonomy of your own)"
            ) from error
    if custom_file is not None:
        names = {f"{name}_column": column for name, column in (columns or {}).items()}
        rng = random.Random(0)  # noqa: S311 - no secret
        for row in read_custom_data(custom_file, taxonomy, **names):
            texts["validation" if rng.random() < _CUSTOM_VALIDATION else "train"].append(row)
    for split, examples in (corrections(taxonomy) if corrections else {}).items():
        texts[split] += examples
    if not data and not texts["train"]:
        raise TrainingError("there is nothing to train on: give --data, --own, or leave the project's texts in")
    if not any(source.has_aspects for source in sources) and not any(row.aspects for row in texts["train"]):
        taxonomy = replace(taxonomy, aspects=())  # the model gets no aspect head
    corpus = load_corpus(data or Path(), sources, taxonomy, {name: rows for name, rows in texts.items() if rows})
    _require_every_head(corpus)
    return corpus, taxonomy


def _require_every_head(corpus: Corpus) -> None:
    """Raise TrainingError for a head without labels: otherwise training would fail only at its end, in calibration."""
    for split, groups in (("training", corpus.train), ("validation", corpus.validation)):
        examples = [example for group in groups.values() for example in group]
        for head in ("intent", "sentiment", "entities"):
            if all(getattr(example, head) is None for example in examples):
                raise TrainingError(f"no {split} text has {head}: add some (--own), or leave the project's texts in")


def train_model(
    corpus: Corpus, taxonomy: Taxonomy, options: "Options", output: Path, console: "Console", *, resume: bool = False
) -> Path:
    """Train into the folder `output`; returns the folder of its best checkpoint, calibrated.

    `resume` continues a stopped run. Raises TrainingError, also if there is a run in `output` and `resume` is False.
    """
    from triage.training.loop.train import TrainingRun

    if (output / BEST).exists() and not resume:
        raise TrainingError(
            f"{output} holds a finished or stopped run; continue it with --resume, or give another --output"
        )
    run = TrainingRun(corpus, taxonomy, replace(options, extra={"commit": commits.current_commit()}), output, console)
    if resume:
        run.resume()
    run.fit()
    (output / "resume.pt").unlink(missing_ok=True)
    return calibrate_checkpoint(output / BEST, corpus)


def calibrate_checkpoint(folder: Path, corpus: Corpus) -> Path:
    """Fit temperatures and thresholds on the validation texts of `corpus` and write them to the checkpoint's info.json.

    Returns `folder`. Raises TrainingError if a head has no validation text.
    """
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.calibrate import as_dict, calibrate

    calibration = calibrate(load_checkpoint(folder), corpus)
    write_json(folder / "info.json", read_json(folder / "info.json") | {"calibration": as_dict(calibration)})
    return folder


def export_checkpoint(folder: Path, output: Path, version: str, precision: str = "int8") -> dict[str, Any]:
    """Write the model folder `output` from a run or checkpoint folder; returns its manifest. Raises TrainingError.

    `precision` is that of the stored weights: int8, fp32 or fp16.
    """
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.export import Calibration, export_model

    checkpoint = load_checkpoint(checkpoint_folder(folder))
    known = checkpoint.info.get("calibration")
    return export_model(checkpoint, output, Calibration(**known) if known else Calibration(), version, precision)


def check_parity(folder: Path, model: Path, data: Path | None, texts: int = PARITY_TEXTS) -> "Parity":
    """Compare a checkpoint with its export `model`: shares of equal labels, and differences of probabilities.

    Both predict about `texts` test texts from all datasets under `data`, or, if it is None, the project's own
    validation texts. `folder` is a run or a checkpoint. Raises ModelError if the export cannot be loaded.
    """
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.parity import compare_with_export

    checkpoint = load_checkpoint(checkpoint_folder(folder))
    return compare_with_export(checkpoint, model, _sample(data, checkpoint.taxonomy, texts))


def update_metrics(model: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Replace metrics.json of the model folder `model` by `change` of its content; returns the new content.

    Without the file the content is {}.
    """
    path = model / "metrics.json"
    metrics = change(read_json(path) if path.exists() else {})
    write_json(path, metrics, indent=None)
    record_files(model, [path.name])
    return metrics


def _sample(data: Path | None, taxonomy: Taxonomy, texts: int) -> list[str]:
    if data is None:
        return [example.text for example in project_texts("validation", taxonomy)][:texts]
    splits = [read_split(data, source, "test") for source in load_training_sets(taxonomy)]
    splits = [split for split in splits if split]
    share = max(1, texts // max(1, len(splits)))
    return [example.text for split in splits for example in split[:: max(1, len(split) // share)][:share]]
