"""Lists the models of the registry for `triage model`."""

from pathlib import Path
from typing import Any

from triage.config import ModelSettings
from triage.errors import ModelError
from triage.inference.figures import read_figures
from triage.inference.history import previous_of, read_history
from triage.inference.manifest import CARD_FILE, read_manifest
from triage.inference.model_files import quick_problem
from triage.inference.registry import find_folder, model_folders, registry_folder

LIST_METRICS = ("intent", "sentiment", "entities")
"""The heads whose mean metric stands in a list."""


def list_entries(settings: ModelSettings) -> list[dict[str, Any]]:
    """Describe every model folder in the registry, and `model.path`, sorted by name, one dict each.

    `serves` marks the serving model, `previous` the target of `triage model rollback`. `figures` are means over the
    test sets in the model's own metrics.json, so they are comparable only between models that were evaluated on the
    same sets. A folder with an invalid manifest has a `problem` instead of details. Raises ModelError without any
    model.
    """
    try:
        serving: Path | None = find_folder(settings)
    except ModelError as error:
        serving, reason = None, error
    folders = {folder.resolve(): folder for folder in _folders(settings).values()}
    if serving is not None:
        folders.setdefault(serving.resolve(), serving)
    if not folders:
        raise reason
    in_use = serving.resolve() if serving else None
    previous = _previous(settings)
    return [
        _entry(folder, path == in_use, path == previous)
        for path, folder in sorted(folders.items(), key=lambda item: item[0].name)
    ]


def model_folder(settings: ModelSettings, name: str | None) -> Path:
    """Folder of the model `name` in the registry, or of the serving model if `name` is None.

    Raises ModelError for an unknown name.
    """
    if name is None:
        return find_folder(settings)
    folders = _folders(settings)
    if name not in folders:
        known = ", ".join(sorted(folders)) or "none"
        where = settings.registry or "onnx/"
        raise ModelError(f"no model {name!r} in {where}; there: {known}")
    return folders[name]


def read_card(folder: Path) -> str:
    """Text of the model card (Markdown) in a model folder. Raises ModelError if it has none."""
    path = folder / CARD_FILE
    try:
        return path.read_text("utf-8")
    except FileNotFoundError as error:
        raise ModelError(f"{path} is not there: this model has no card; `triage evaluate` writes it") from error


def _folders(settings: ModelSettings) -> dict[str, Path]:
    try:
        return model_folders(registry_folder(settings))
    except ModelError:
        return {}


def _previous(settings: ModelSettings) -> Path | None:
    """Folder that a rollback would restore; None with `model.path` set, because CURRENT has no effect then."""
    if settings.path is not None:
        return None
    try:
        registry = registry_folder(settings)
        name = previous_of(read_history(registry), find_folder(settings).name)
    except (ModelError, OSError):
        return None
    return (registry / name).resolve() if name else None


def _entry(folder: Path, serves: bool, previous: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"serves": serves, "previous": previous, "name": folder.name, "folder": str(folder)}
    try:
        manifest = read_manifest(folder)
    except ModelError as error:
        return entry | {"problem": str(error)}
    problem = quick_problem(folder, manifest)
    return entry | {
        "version": manifest.version,
        "label": manifest.label,
        "taxonomy": manifest.taxonomy,
        "languages": manifest.languages,
        "intents": len(manifest.intents),
        "encoder": manifest.encoder.get("base", ""),
        "form": manifest.form,
        "mib": round(sum(file.bytes for file in manifest.files.values()) / 2**20, 1),
        "figures": _mean_metrics(folder),
        **({"problem": problem} if problem else {}),
    }


def _mean_metrics(folder: Path) -> dict[str, float]:
    """Mean over the test sets in metrics.json of each head's main metric; {} if the file is missing or damaged."""
    figures = read_figures(folder)
    found = {head: [value for each, value in figures.items() if each.head == head] for head in LIST_METRICS}
    return {head: round(sum(values) / len(values), 4) for head, values in found.items() if values}
