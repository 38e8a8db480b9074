"""Train, export, evaluate: the steps behind the commands, in order, with what each leaves on disk."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage.errors import TrainingError
from triage.training.data.corpus import Corpus, load_corpus, read_split
from triage.training.data.custom import project_texts, read_own
from triage.training.data.examples import Example
from triage.training.data.files import read_json, write_json
from triage.training.data.labels import Taxonomy, load_taxonomy
from triage.training.data.training_sets import load_sources
from triage.training.loop.run_folder import BEST, checkpoint_folder
from triage.training.release import commits

if TYPE_CHECKING:
    from rich.console import Console

    from triage.training.loop.options import Options
    from triage.training.release.parity import Parity

PARITY_TEXTS = 2_000
_OWN_VALIDATION = 0.1


def build_corpus(
    data: Path | None,
    *,
    taxonomy_file: Path | None = None,
    sources_file: Path | None = None,
    own: Path | None = None,
    columns: dict[str, str] | None = None,
    project: bool = True,
    corrections: Callable[[Taxonomy], dict[str, list[Example]]] | None = None,
) -> tuple[Corpus, Taxonomy]:
    """The packs under `data` (None: no packs), the project's own texts unless told otherwise, and an owner's file.

    A tenth of the owner's rows, chosen by a hash of the text, validates. `corrections` gives further examples by split.
    Raises ConfigError or TrainingError.
    """
    taxonomy = load_taxonomy(taxonomy_file)
    sources = load_sources(taxonomy, sources_file) if data else []
    texts: dict[str, list[Example]] = {"train": [], "validation": []}
    if project:
        try:
            texts = {split: project_texts(split, taxonomy) for split in texts}
        except TrainingError as error:
            raise TrainingError(
                f"{error}\n  (--no-project-texts leaves these out, for a taxonomy of your own)"
            ) from error
    if own is not None:
        rows = read_own(own, taxonomy, **{f"{name}_column": column for name, column in (columns or {}).items()})
        rng = random.Random(0)  # noqa: S311 - a split, not a secret
        for row in rows:
            texts["validation" if rng.random() < _OWN_VALIDATION else "train"].append(row)
    for split, examples in (corrections(taxonomy) if corrections else {}).items():
        texts[split] += examples
    if not data and not texts["train"]:
        raise TrainingError("there is nothing to train on: give --data, --own, or leave the project's texts in")
    if not any(source.teaches_aspects for source in sources) and not any(row.aspects for row in texts["train"]):
        taxonomy = replace(taxonomy, aspects=())  # nothing teaches them: a model with three heads
    corpus = load_corpus(data or Path(), sources, taxonomy, {name: rows for name, rows in texts.items() if rows})
    _require_every_head(corpus)
    return corpus, taxonomy


def _require_every_head(corpus: Corpus) -> None:
    """Training without labels for a head would only fail at its end, when it is to be calibrated."""
    for split, groups in (("training", corpus.train), ("validation", corpus.validation)):
        examples = [example for group in groups.values() for example in group]
        for head in ("intent", "sentiment", "entities"):
            if all(getattr(example, head) is None for example in examples):
                raise TrainingError(f"no {split} text has {head}: add some (--own), or leave the project's texts in")


def train_model(
    corpus: Corpus, taxonomy: Taxonomy, options: "Options", output: Path, console: "Console", *, resume: bool = False
) -> Path:
    """Train into `output`; returns the folder of the best checkpoint, calibrated. Raises TrainingError."""
    from triage.training.loop.train import Run

    if (output / BEST).exists() and not resume:
        raise TrainingError(f"{output} holds a finished or stopped run; --resume goes on, or give another --output")
    run = Run(corpus, taxonomy, replace(options, extra={"commit": commits.current()}), output, console)
    if resume:
        run.resume()
    run.fit()
    (output / "resume.pt").unlink(missing_ok=True)
    return calibrate_checkpoint(output / BEST, corpus)


def calibrate_checkpoint(folder: Path, corpus: Corpus) -> Path:
    """Fit temperatures and thresholds on the validation texts, and keep them in the checkpoint's info.json."""
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.calibrate import as_dict, calibrate

    calibration = calibrate(load_checkpoint(folder), corpus)
    write_json(folder / "info.json", read_json(folder / "info.json") | {"calibration": as_dict(calibration)})
    return folder


def export_checkpoint(folder: Path, output: Path, version: str, form: str = "int8") -> dict[str, Any]:
    """Write the model folder `output` from a run or checkpoint folder; returns its manifest. Raises TrainingError."""
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.export import Calibration, export_model

    checkpoint = load_checkpoint(checkpoint_folder(folder))
    known = checkpoint.info.get("calibration")
    return export_model(checkpoint, output, Calibration(**known) if known else Calibration(), version, form)


def check_parity(folder: Path, model: Path, data: Path | None, texts: int = PARITY_TEXTS) -> "Parity":
    """Compare a checkpoint with its export on test texts of every pack (no packs: on validation texts of our own)."""
    from triage.training.loop.checkpoint import load_checkpoint
    from triage.training.release.parity import compare

    checkpoint = load_checkpoint(checkpoint_folder(folder))
    return compare(checkpoint, model, _sample(data, checkpoint.taxonomy, texts))


def record(model: Path, write: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Change metrics.json of a model folder by `write` and return it."""
    path = model / "metrics.json"
    metrics = write(read_json(path) if path.exists() else {})
    write_json(path, metrics)
    return metrics


def _sample(data: Path | None, taxonomy: Taxonomy, texts: int) -> list[str]:
    if data is None:
        return [example.text for example in project_texts("validation", taxonomy)][:texts]
    packs = [read_split(data, source, "test") for source in load_sources(taxonomy)]
    packs = [pack for pack in packs if pack]
    share = max(1, texts // max(1, len(packs)))
    return [example.text for pack in packs for example in pack[:: max(1, len(pack) // share)][:share]]
