"""Checks a model before its promotion: its files, a test run, and the labels that the rules refer to."""

from pathlib import Path
from typing import NamedTuple

from triage.config import Settings
from triage.errors import ModelError
from triage.inference.figures import METRICS_FILE, compare_figures
from triage.inference.manifest import Manifest, read_manifest
from triage.inference.model import OnnxModel
from triage.redaction.kinds import KINDS
from triage.rules import check as check_rules
from triage.types import Prediction

_SMOKE_TEXTS = (
    "My parcel is three weeks late and nobody at Acme answers.",
    "快递三天还没到，客服态度太差了！",
    "I love this lamp, thank you.",
    "What are your opening hours?",
    "",
    "👍",
    "the courier never came and the box was empty " * 60,
)


class CheckedModel(NamedTuple):
    """A model that may be promoted: `version` is name@version, `warnings` are shown to the operator."""

    version: str
    warnings: list[str]


def check_model(
    folder: Path, current: Path | None, settings: Settings, *, force: bool = False, returning: bool = False
) -> CheckedModel:
    """Check the model's files, a test run on a few texts, the labels that the rules use, and its results on test sets.

    `current` is the folder of the serving model. A model that loses more than a point on one of its test sets is
    refused, unless `returning` is true, for a model that served before. Raises ModelError or ConfigError with the
    reason. `force` turns only the problems of rules and test results into warnings.
    """
    model = OnnxModel.load(settings.model.model_copy(update={"path": folder}))
    smoke_test(model)
    manifest = model.manifest
    require_person_label(manifest, settings)
    problems = label_problems(manifest, settings)
    if problems and not force:
        raise ModelError(
            f"{manifest.label} (taxonomy {manifest.taxonomy}) does not know labels that the rules name:"
            + "".join(f"\n  - {problem}" for problem in problems)
            + "\nchange rules.path with it, or give --force"
        )
    warnings = list(problems)
    if current is not None and not returning:
        warnings += _forgotten(folder, current, manifest.label, force)
    if current is not None and (other := _taxonomy(current)) not in {None, manifest.taxonomy}:
        warnings.append(
            f"the taxonomy changes from {other} to {manifest.taxonomy}: alert rules, dashboards and saved searches "
            "name its labels"
        )
    return CheckedModel(manifest.label, warnings)


def _forgotten(folder: Path, current: Path, label: str, force: bool) -> list[str]:
    """Warnings about figures on test sets. Raises ModelError for losses unless `force`."""
    losses, unmeasured = compare_figures(folder, current)
    lost = [f"{each}: {100 * before:.1f} to {100 * after:.1f}" for each, (before, after) in losses.items()]
    if lost and not force:
        raise ModelError(
            f"{label} loses more than a point against the serving model on its test sets "
            f"(percent, {METRICS_FILE}):"
            + "".join(f"\n  - {each}" for each in lost)
            + "\ntrain it further on what it forgot, or give --force to take these losses"
        )
    warnings = [f"loses {each}" for each in lost]
    if unmeasured:
        names = ", ".join(dict.fromkeys(each.name for each in unmeasured))
        warnings.append(
            f"nothing tells what {label} has forgotten on {names}: measure it by "
            f"`triage evaluate --model {folder} --card`"
        )
    return warnings


def require_person_label(manifest: Manifest, settings: Settings) -> None:
    """Raise ModelError if `redaction.names` is on and the model has no label for persons: nothing would be redacted."""
    labels = _entity_labels(manifest)
    if settings.redaction.names and "person" not in labels:
        raise ModelError(
            f"redaction.names needs a model with the entity label person; {manifest.label} has "
            f"{', '.join(sorted(labels)) or 'no entity labels'}: use another model, or set redaction.names = false"
        )


def label_problems(manifest: Manifest, settings: Settings) -> list[str]:
    """Problems of the rules file with the model of `manifest`, one text each: labels that it lacks, and others."""
    return check_rules(settings, manifest.intents, sorted(_entity_labels(manifest) | set(KINDS)))


def _entity_labels(manifest: Manifest) -> set[str]:
    return {tag.partition("-")[2] for tag in manifest.entity_tags[1:]}


def _taxonomy(folder: Path) -> str | None:
    try:
        return read_manifest(folder).taxonomy
    except ModelError:
        return None


def smoke_test(model: OnnxModel) -> None:
    """Run the model on a few texts of various kinds.

    Raises ModelError if the model fails, or if its predictions do not depend on the text, such as those of an untrained
    model.
    """
    try:
        predictions = model.predict(_SMOKE_TEXTS)
    except ModelError as error:
        raise ModelError(f"{model.folder} does not run: {error}") from error
    if len({_probabilities(prediction) for prediction in predictions}) == 1:
        raise ModelError(
            f"{model.folder} predicts the same for {len(_SMOKE_TEXTS)} different texts: it was not trained, or its "
            "tokenizer.json belongs to another model"
        )


def _probabilities(prediction: Prediction) -> tuple[float, ...]:
    return tuple(round(p, 3) for p in (*dict(sorted(prediction.intents)).values(), *prediction.sentiment.values()))
