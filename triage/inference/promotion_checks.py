"""Is this model fit to serve? Asked before it is promoted; the answer is a reason, never a broken fleet."""

from pathlib import Path
from typing import NamedTuple

from triage.config import Settings
from triage.errors import ModelError
from triage.inference.manifest import Manifest, read_manifest
from triage.inference.model import OnnxModel
from triage.redaction.kinds import KINDS
from triage.rules import check as check_rules
from triage.types import Prediction

_SMOKE = (
    "My parcel is three weeks late and nobody at Acme answers.",
    "快递三天还没到，客服态度太差了！",
    "I love this lamp, thank you.",
    "What are your opening hours?",
    "",
    "👍",
    "the courier never came and the box was empty " * 60,
)


class Vetted(NamedTuple):
    version: str
    warnings: list[str]


def vet(folder: Path, current: Path | None, settings: Settings, *, force: bool = False) -> Vetted:
    """Check the files against the manifest, run the model on a few texts, and hold its labels against the rules.

    `current` is the folder that serves now. Raises ModelError or ConfigError with the reason; `force` turns rules that
    name labels the model lacks into warnings, and nothing else.
    """
    model = OnnxModel.load(settings.model.model_copy(update={"path": folder}))
    smoke(model)
    manifest = model.manifest
    problems = label_problems(manifest, settings)
    if problems and not force:
        raise ModelError(
            f"{manifest.label} (taxonomy {manifest.taxonomy}) does not know labels that the rules name:"
            + "".join(f"\n  - {problem}" for problem in problems)
            + "\nchange rules.path with it, or give --force"
        )
    warnings = list(problems)
    if current is not None and (other := _taxonomy(current)) not in {None, manifest.taxonomy}:
        warnings.append(
            f"the taxonomy changes from {other} to {manifest.taxonomy}: alert rules, dashboards and saved searches "
            "name its labels"
        )
    return Vetted(manifest.label, warnings)


def label_problems(manifest: Manifest, settings: Settings) -> list[str]:
    """What the rules file names that this model never says; the file's own mistakes, too."""
    entities = {tag.partition("-")[2] for tag in manifest.entity_tags[1:]} | set(KINDS)
    return check_rules(settings, manifest.intents, sorted(entities))


def _taxonomy(folder: Path) -> str | None:
    try:
        return read_manifest(folder).taxonomy
    except ModelError:
        return None


def smoke(model: OnnxModel) -> None:
    """Run a few texts of all kinds. Raises ModelError if the model fails, or answers as one that was never trained."""
    try:
        predictions = model.predict(_SMOKE)
    except ModelError as error:
        raise ModelError(f"{model.folder} does not run: {error}") from error
    if len({_said(prediction) for prediction in predictions}) == 1:
        raise ModelError(
            f"{model.folder} says the same of {len(_SMOKE)} texts that differ: it was not trained, or its "
            "tokenizer.json belongs to another model"
        )


def _said(prediction: Prediction) -> tuple[float, ...]:
    return tuple(round(p, 3) for p in (*dict(sorted(prediction.intents)).values(), *prediction.sentiment.values()))
