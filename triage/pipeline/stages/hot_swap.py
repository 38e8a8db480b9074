"""Replaces model, rules and risk models of a running process: detects changed files, loads them, puts them to use."""

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import asdict

from triage.clock import Clock
from triage.config import ModelSettings, Settings
from triage.errors import TriageError
from triage.inference.manifest import MANIFEST_FILE
from triage.inference.model import OnnxModel
from triage.inference.promotion_checks import label_problems, require_person_label, smoke_test
from triage.inference.registry import find_folder
from triage.logging import get_logger
from triage.metrics import Metrics
from triage.pipeline.stages.enrich import Enricher
from triage.pipeline.stages.model_metrics import show_model
from triage.pipeline.stages.reload import Reloader, Replaceable
from triage.risk.model import RiskModel, read_models
from triage.rules import RuleSet, load_rules
from triage.rules.loader import DEFAULT_RULES
from triage.runtime.health import Health
from triage.types import Model

log = get_logger("triage.reload")


def model_identity(settings: ModelSettings) -> str:
    """Return a text that changes whenever the model selected by the settings and the file CURRENT does.

    It consists of the folder, the SHA-256 of the manifest, and name, size and time of each file. Raises ModelError if
    no model is selected, OSError if a file cannot be read.
    """
    folder = find_folder(settings)
    parts = [str(folder.resolve()), hashlib.sha256((folder / MANIFEST_FILE).read_bytes()).hexdigest()]
    for path in sorted(folder.iterdir()):
        found = path.stat()
        parts.append(f"{path.name}:{found.st_size}:{found.st_mtime_ns}")
    return " ".join(parts)


def rules_identity(path: Path | None) -> str:
    """Return the SHA-256 of the rules file (None: the default rules). Raises OSError if it cannot be read."""
    return hashlib.sha256((path or DEFAULT_RULES).read_bytes()).hexdigest()


def risks_identity(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of the files of the risk models. Raises OSError if one cannot be read."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def identities(settings: Settings, *, with_model: bool = True) -> dict[str, str]:
    """Return texts that change with the files of the model, rules and risk models, under "model", "rules" and "risks".

    Call it before loading, so that a change in between is detected. An identity that cannot be determined is left
    out, because loading the file will raise the reason.
    """
    seen = {}
    with contextlib.suppress(TriageError, OSError):
        if with_model:
            seen["model"] = model_identity(settings.model)
    with contextlib.suppress(OSError):
        seen["rules"] = rules_identity(settings.rules.path)
    with contextlib.suppress(OSError):
        if settings.risk.models:
            seen["risks"] = risks_identity(settings.risk.models)
    return seen


def replaceables(settings: Settings, enricher: Enricher, metrics: Metrics, seen: dict[str, str]) -> list[Replaceable]:
    """Describe to a Reloader how the rules, the risk models and the model of an enricher are replaced.

    `seen` has the result of `identities` from before they were loaded; without `seen["model"]` the model is never
    replaced.
    """

    def load_model() -> OnnxModel:
        model = OnnxModel.load(settings.model, metrics)
        smoke_test(model)
        require_person_label(model.manifest, settings)
        return model

    def apply_model(model: OnnxModel) -> tuple[str, str]:
        before = enricher.versions.model
        enricher.replace(model=model)
        show_model(metrics, model, enricher.versions, settings.model)
        warn_of_unknown_labels(model, settings)
        return before, enricher.versions.model

    def apply_rules(rules: RuleSet) -> tuple[str, str]:
        before = enricher.versions.rules
        enricher.replace(rules=rules)
        show_model(metrics, enricher.active.model, enricher.versions, settings.model)
        warn_of_unknown_labels(enricher.active.model, settings)
        return before, enricher.versions.rules

    def apply_risks(models: list[RiskModel]) -> tuple[str, str]:
        before = _versions(enricher.active.risks)
        enricher.replace(risks=models)
        return before, _versions(models)

    path = settings.rules.path
    found = [Replaceable("rules", lambda: rules_identity(path), lambda: load_rules(path), apply_rules, seen["rules"])]
    if "risks" in seen:
        risks = settings.risk.models
        found.append(
            Replaceable(
                "risks",
                lambda: risks_identity(risks),
                lambda: read_models(risks, with_history=False),
                apply_risks,
                seen["risks"],
            )
        )
    if "model" in seen:
        found.append(
            Replaceable("model", lambda: model_identity(settings.model), load_model, apply_model, seen["model"])
        )
    return found


def _versions(models: Sequence[RiskModel]) -> str:
    return " ".join(f"{model.name}@{model.version}" for model in models)


def reloader_of(
    settings: Settings,
    enricher: Enricher,
    seen: dict[str, str],
    clock: Clock,
    metrics: Metrics,
    health: Health,
    others: Sequence[Replaceable] = (),
) -> Reloader:
    """Build the reloader that replaces model and rules of an enricher, for a worker or the API, and `others`.

    `seen` has the result of `identities` from before they were loaded.
    """
    return Reloader(
        [*replaceables(settings, enricher, metrics, seen), *others],
        lambda: asdict(enricher.versions),
        clock,
        settings.worker.reload_poll_s,
        metrics,
        health,
    )


def warn_of_unknown_labels(model: Model, settings: Settings) -> None:
    """Log a warning about rules with labels that the model does not have: they are valid but never match."""
    if isinstance(model, OnnxModel) and (problems := label_problems(model.manifest, settings)):
        log.warning("rules_name_unknown_labels", model=model.version, problems=problems)
